import { openSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createMemoryFile } from './unlinked-file.node.js'

describe('createMemoryFile', () => {
  it('leaves no name behind', () => {
    const before = readdirSync('/dev/shm')
    const file = createMemoryFile()
    expect(readdirSync('/dev/shm')).toEqual(before)
    expect(readlinkSync(`/proc/self/fd/${file.fd}`)).toContain('(deleted)')
    file.discard()
  })

  it('gives back what was written, in any order', async () => {
    const file = createMemoryFile()
    await file.write(Buffer.from('world'), 6)
    await file.write(Buffer.from('hello '), 0)
    expect(readFileSync(`/proc/self/fd/${file.readFd}`, 'utf8')).toBe('hello world')
    expect(file.size()).toBe(11)
    file.discard()
  })

  it('hands out a descriptor that cannot write', () => {
    const file = createMemoryFile()
    expect(() => writeSync(file.readFd, 'x')).toThrow('EBADF')
    file.discard()
  })

  it('gives the memory back although another still holds a descriptor', async () => {
    const file = createMemoryFile()
    await file.write(Buffer.from('plain'), 0)
    const other = openSync(`/proc/self/fd/${file.readFd}`, 'r')
    file.discard()
    expect(readFileSync(other).length).toBe(0)
    expect(() => {
      file.discard()
    }).not.toThrow()
  })

  it.each(['/usr', '/nowhere'])('refuses %s, which is not in memory', (directory) => {
    expect(() => createMemoryFile(directory)).toThrow(
      expect.objectContaining({ code: 'MEMORY_FILE_FAILED' }) as Error,
    )
  })
})
