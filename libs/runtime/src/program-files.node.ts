/** Which files the runtime's child needs: its own program, the frames of the engine's, and onnxruntime for this platform alone. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { findBuilt, packageFolder, packageManifest, type Binding, type ProgramFiles } from '#libs/engine'
import { RuntimeError } from './errors.js'

const root = '/sealroom'

/**
 * Finds the built child program and onnxruntime.
 * @throws RuntimeError `RUNTIME_UNAVAILABLE` where onnxruntime is not installed; EngineError `SANDBOX_UNAVAILABLE` where the project is not
 * built.
 */
export function findRuntimeFiles(): ProgramFiles {
  const program = findBuilt('libs/runtime/src/child.node.js')
  const folder = dirname(program)
  return {
    program,
    programInside: `${root}/dist/libs/runtime/src/child.node.js`,
    bindings: [
      { host: folder, inside: `${root}/dist/libs/runtime/src` },
      { host: join(folder, '../../engine/src'), inside: `${root}/dist/libs/engine/src` },
      { host: packageManifest(folder), inside: `${root}/package.json` },
      ...runtimePackages(program),
    ],
  }
}

function runtimePackages(program: string): Binding[] {
  try {
    const entry = createRequire(program).resolve('onnxruntime-node')
    const common = createRequire(entry).resolve('onnxruntime-common')
    const host = packageFolder(entry, 'onnxruntime-node')
    const inside = `${root}/node_modules/onnxruntime-node`
    const platform = `bin/napi-v6/${process.platform}/${process.arch}`
    return [
      { host: join(host, 'package.json'), inside: `${inside}/package.json` },
      { host: join(host, 'dist'), inside: `${inside}/dist` },
      { host: join(host, platform), inside: `${inside}/${platform}` },
      {
        host: packageFolder(common, 'onnxruntime-common'),
        inside: `${root}/node_modules/onnxruntime-common`,
      },
    ]
  } catch (cause) {
    throw new RuntimeError('RUNTIME_UNAVAILABLE', 'onnxruntime-node is not installed', { cause })
  }
}
