/** What published vectors are run against besides the index: the second implementation, and the key derivation of both. */
export { nodeExpand } from './chunk-key.node.js'
export { derivedLength as expandedLength, saltLength } from './chunked-format.js'
export { nobleExpand, nobleOpen, nobleSeal } from './chunked-noble.js'
