/**
 * As much of an assembler for WebAssembly as the kernels need: functions over one imported memory, written as expressions, encoded as
 * the binary format says (WebAssembly Core Specification 2.0, sections 2 and 5). Nothing is checked here: the engine validates the module.
 */

/** Encoded instructions. */
export type Code = readonly number[]

/** A variable of a function: what reads it, and what writes it. */
export interface Local {
  readonly get: Code
  set(value: Code): Code
}

const types = { i32: 0x7f, f64: 0x7c, v128: 0x7b } as const
type Type = keyof typeof types

/** A function: the names of its parameters, which are whole numbers (addresses in bytes), and its instructions. */
export interface Definition {
  readonly parameters: readonly string[]
  readonly body: (parameters: Readonly<Record<string, Local>>, local: NewLocal) => readonly Code[]
}

/** Makes a new variable of a function, zero at first. */
export type NewLocal = (type: Type) => Local

/** Defines a function. */
export function define<Name extends string>(
  parameters: readonly Name[],
  body: (parameters: Readonly<Record<Name, Local>>, local: NewLocal) => readonly Code[],
): Definition {
  return { parameters, body }
}

const unsigned = (value: number): Code => {
  const low = value & 0x7f
  return value < 0x80 ? [low] : [low | 0x80, ...unsigned(value >>> 7)]
}
const signed = (value: number): Code => {
  const low = value & 0x7f
  return value >= -0x40 && value < 0x40 ? [low] : [low | 0x80, ...signed(value >> 7)]
}
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes]
const listed = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()]
const text = (value: string): Code => sized(Array.from(value, (letter) => letter.charCodeAt(0)))
const float = (value: number): Code => [...new Uint8Array(Float64Array.of(value).buffer)]

const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)]
const one = (operation: Code) => (a: Code) => [...a, ...operation]
const two = (operation: Code) => (a: Code, b: Code) => [...a, ...b, ...operation]
const three = (operation: Code) => (a: Code, b: Code, c: Code) => [...a, ...b, ...c, ...operation]
// Offsets are constants of the code; an alignment of zero promises nothing.
const read =
  (operation: Code) =>
  (address: Code, offset = 0) => [...address, ...operation, 0, ...unsigned(offset)]
const write =
  (operation: Code) =>
  (address: Code, value: Code, offset = 0) => [...address, ...value, ...operation, 0, ...unsigned(offset)]

/** Whole numbers of 32 bits. */
export const i32 = {
  constant: (value: number): Code => [0x41, ...signed(value)],
  add: two([0x6a]),
  isBelow: two([0x49]),
}

/** Single numbers in double precision. */
export const f64 = { load: read([0x2b]), store: write([0x39]), add: two([0xa0]) }

const upperHalf = [8, 9, 10, 11, 12, 13, 14, 15]

/** Sixteen bytes of whatever meaning. */
export const v128 = {
  load: read(vector(0x00)),
  loadSplat32: read(vector(0x09)),
  loadSplat64: read(vector(0x0a)),
  loadLow64: read(vector(0x5d)),
  store: write(vector(0x0b)),
  and: two(vector(0x4e)),
  /** Bits of the first where the third has ones, of the second where it has zeros. */
  select: three(vector(0x52)),
  /** The upper half, twice. */
  highToLow: (value: Code): Code => [...value, ...value, ...vector(0x0d), ...[...upperHalf, ...upperHalf]],
}

/** Four whole numbers. */
export const i32x4 = { add: two(vector(0xae)), sub: two(vector(0xb1)) }

/** Two whole numbers of 64 bits. */
export const i64x2 = {
  add: two(vector(0xce)),
  shiftLeft: (a: Code, by: number): Code => [...a, ...i32.constant(by), ...vector(0xcb)],
}

/** Four numbers in single precision. `min` and `max` answer their first where their second is no number. */
export const f32x4 = {
  isEqual: two(vector(0x41)),
  isLess: two(vector(0x43)),
  isGreater: two(vector(0x44)),
  sub: two(vector(0xe5)),
  div: two(vector(0xe7)),
  min: two(vector(0xea)),
  max: two(vector(0xeb)),
}

/** Two numbers in double precision. `max` of what is no number is no number. */
export const f64x2 = {
  constant: (value: number): Code => [...vector(0x0c), ...float(value), ...float(value)],
  lane: (value: Code, lane: 0 | 1): Code => [...value, ...vector(0x21), lane],
  isEqual: two(vector(0x47)),
  isGreaterOrEqual: two(vector(0x4c)),
  /** The low two numbers of four in single precision. */
  promote: one(vector(0x5f)),
  abs: one(vector(0xec)),
  neg: one(vector(0xed)),
  sqrt: one(vector(0xef)),
  add: two(vector(0xf0)),
  sub: two(vector(0xf1)),
  mul: two(vector(0xf2)),
  div: two(vector(0xf3)),
  max: two(vector(0xf5)),
}

/** Repeats a body while a counter, which it counts up by a step, is below an end. Runs once at least. */
export function repeat(counter: Local, step: number, end: Code, body: readonly Code[]): Code {
  const counted = counter.set(i32.add(counter.get, i32.constant(step)))
  return [0x03, 0x40, ...body.flat(), ...counted, ...i32.isBelow(counter.get, end), 0x0d, 0x00, 0x0b]
}

/** The module of these functions, exported by their names. It imports its memory as `room.memory`. */
export function assemble(functions: Readonly<Record<string, Definition>>): Uint8Array {
  const entries = Object.entries(functions)
  const section = (id: number, content: Code): Code => [id, ...sized(content)]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, listed(entries.map(([, { parameters }]) => signature(parameters.length)))),
    ...section(2, listed([[...text('room'), ...text('memory'), 0x02, 0x00, 0x01]])),
    ...section(3, listed(entries.map((_entry, index) => unsigned(index)))),
    ...section(7, listed(entries.map(([name], index) => [...text(name), 0x00, ...unsigned(index)]))),
    ...section(10, listed(entries.map(([, definition]) => sized(bodyOf(definition))))),
  ])
}

function signature(parameters: number): Code {
  return [0x60, ...listed(Array.from({ length: parameters }, () => [types.i32])), 0x00]
}

function bodyOf({ parameters, body }: Definition): Code {
  const locals: Type[] = []
  const variable = (index: number): Local => ({
    get: [0x20, ...unsigned(index)],
    set: (value) => [...value, 0x21, ...unsigned(index)],
  })
  const named = Object.fromEntries(parameters.map((name, index) => [name, variable(index)]))
  const instructions = body(named, (type) => variable(parameters.length + locals.push(type) - 1))
  return [...listed(locals.map((type) => [1, types[type]])), ...instructions.flat(), 0x0b]
}
