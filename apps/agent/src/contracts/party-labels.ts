/**
 * In a contract's YAML a party's key may be written as the label under which it is pinned. Only the `parties` block is
 * touched, and only values that are a known label, so that lines stay where mistakes are told.
 */
export function resolveLabels(yaml: string, thumbprintOf: (label: string) => string | undefined): string {
  let inParties = false
  return yaml
    .split('\n')
    .map((line) => {
      if (/^\S/.test(line) && !line.startsWith('#')) inParties = /^parties\s*:/.test(line)
      return inParties ? replaceKeys(line, thumbprintOf) : line
    })
    .join('\n')
}

function replaceKeys(line: string, thumbprintOf: (label: string) => string | undefined): string {
  return line.replace(
    /(\bkey\s*:\s*)(["']?)([\p{L}_][\p{L}\p{M}\p{Nd}_-]*)\2(?=\s*(?:[,}#]|$))/gu,
    (whole: string, before: string, _quote: string, label: string) => {
      const thumbprint = thumbprintOf(label)
      return thumbprint === undefined ? whole : `${before}"${thumbprint}"`
    },
  )
}
