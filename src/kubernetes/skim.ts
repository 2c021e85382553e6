/**
 * Cuts JSON down to the members that somebody reads, before it becomes objects: most of a pod or a node is never looked
 * at, and making objects of it costs more than everything that is done with the rest. It works on bytes and never on
 * meaning: what it leaves out is checked for its brackets and quotes alone, what it keeps is JSON.parse's to check.
 */
import { Buffer } from 'node:buffer';
import type { JsonSchema } from '../wire/validate.ts';
import { ByteRoom } from './byte-room.ts';

/** The members to keep of an object, or of every object in a list; `whole` keeps a value as it is. */
export type Shape = 'whole' | readonly Member[];

interface Member {
  readonly key: Uint8Array;
  readonly shape: Shape;
}

export function shapeWith(members: Readonly<Record<string, Shape>>): readonly Member[] {
  return Object.entries(members).map(([key, shape]) => ({ key: Buffer.from(key), shape }));
}

/** What a schema reads: the named properties of its objects, and whatever it does not name them of. */
export function shapeOf(schema: JsonSchema): Shape {
  const { properties, items, additionalProperties } = schema;
  if (isSchema(items)) return shapeOf(items);
  if (!isSchema(properties) || additionalProperties !== undefined) return 'whole';
  return shapeWith(
    Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, isSchema(value) ? shapeOf(value) : 'whole']),
    ),
  );
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const nothing = Buffer.alloc(0);
const aComma = Buffer.from(',');
/** No range is open. */
const closed = -1;

class NotJson extends Error {}

export class Skimmer {
  readonly #kept = new ByteRoom();
  #bytes: Buffer = nothing;
  #at = 0;
  /** Where the bytes begin that are kept and not yet copied. */
  #from = closed;

  /** The text of what `shape` names of a JSON document, or undefined when that is none. */
  skim(bytes: Buffer, shape: Shape): string | undefined {
    if (shape === 'whole') return bytes.toString('utf8');
    this.#bytes = bytes;
    this.#at = 0;
    try {
      this.#space();
      this.#from = this.#at;
      this.#value(shape);
      // Whatever follows the document is kept, so that JSON.parse judges it.
      this.#keepTo(bytes.length);
      return this.#kept.bytes.toString('utf8');
    } catch (error) {
      if (error instanceof NotJson) return undefined;
      throw error;
    } finally {
      this.#bytes = nothing;
      this.#kept.clear();
    }
  }

  /** Passes over a value, of which what the shape names is kept. A range is open before and after. */
  #value(shape: Shape): void {
    const first = this.#bytes[this.#at];
    if (shape === 'whole') this.#skip();
    else if (first === openBrace) this.#object(shape);
    else if (first === openBracket) this.#list(shape);
    else this.#skip();
  }

  #object(shape: readonly Member[]): void {
    this.#at += 1;
    let keptTo = this.#at;
    let isFirst = true;
    this.#space();
    if (this.#bytes[this.#at] !== closeBrace) {
      for (;;) {
        const start = this.#at;
        const wanted = this.#member(shape);
        if (wanted === undefined) {
          this.#keepTo(keptTo);
          this.#skip();
        } else {
          if (this.#from === closed) {
            if (!isFirst) this.#kept.append(aComma);
            this.#from = start;
          }
          isFirst = false;
          this.#value(wanted);
          keptTo = this.#at;
        }
        this.#space();
        if (this.#bytes[this.#at] !== comma) break;
        this.#at += 1;
        this.#space();
      }
    }
    this.#expect(closeBrace);
    if (this.#from === closed) this.#from = this.#at - 1;
  }

  /** Objects of a list are cut; lists in lists are not, which bounds the depth by the shape's. */
  #list(shape: readonly Member[]): void {
    this.#at += 1;
    this.#space();
    if (this.#bytes[this.#at] !== closeBracket) {
      for (;;) {
        if (this.#bytes[this.#at] === openBrace) this.#object(shape);
        else this.#skip();
        this.#space();
        if (this.#bytes[this.#at] !== comma) break;
        this.#at += 1;
        this.#space();
      }
    }
    this.#expect(closeBracket);
  }

  /** Passes over a key and its colon; answers what to keep of its value, undefined for nothing. */
  #member(shape: readonly Member[]): Shape | undefined {
    this.#expect(quote);
    const start = this.#at;
    const escaped = this.#string();
    const end = this.#at - 1;
    this.#space();
    this.#expect(colon);
    this.#space();
    // An escaped key may spell any name.
    if (escaped) return 'whole';
    for (const { key, shape: wanted } of shape) {
      if (key.length === end - start && this.#stands(key, start)) return wanted;
    }
    return undefined;
  }

  #stands(key: Uint8Array, start: number): boolean {
    for (let index = 0; index < key.length; index += 1) {
      if (this.#bytes[start + index] !== key[index]) return false;
    }
    return true;
  }

  /** Passes over a value of any kind. */
  #skip(): void {
    const first = this.#bytes[this.#at];
    if (first === quote) {
      this.#at += 1;
      this.#string();
    } else if (first === openBrace || first === openBracket) {
      this.#skipNested();
    } else {
      const start = this.#at;
      while (this.#at < this.#bytes.length && !endsScalar(this.#bytes[this.#at])) this.#at += 1;
      if (this.#at === start) throw new NotJson();
    }
  }

  /** The one loop that sees most bytes of an answer, so it is kept free of calls. */
  #skipNested(): void {
    const bytes = this.#bytes;
    const end = bytes.length;
    let at = this.#at;
    let depth = 0;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      at += 1;
      // A bracket differs from its brace in one bit.
      const brace = byte | 0x20;
      if (byte === quote) {
        while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
        at += 1;
      } else if (brace === openBrace) {
        depth += 1;
      } else if (brace === closeBrace) {
        depth -= 1;
        if (depth === 0) break;
      }
    }
    if (depth > 0 || at > end) throw new NotJson();
    this.#at = at;
  }

  /** Passes over the rest of a string; answers whether it holds an escape. */
  #string(): boolean {
    const bytes = this.#bytes;
    const end = bytes.length;
    let at = this.#at;
    let escaped = false;
    while (at < end && bytes[at] !== quote) {
      if (bytes[at] === backslash) {
        escaped = true;
        at += 1;
      }
      at += 1;
    }
    this.#at = at;
    this.#expect(quote);
    return escaped;
  }

  #space(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at += 1;
  }

  #expect(byte: number): void {
    if (this.#bytes[this.#at] !== byte) throw new NotJson();
    this.#at += 1;
  }

  // --- what is kept

  /** Copies the open range up to here and closes it; does nothing where none is open. */
  #keepTo(end: number): void {
    if (this.#from === closed) return;
    this.#kept.append(this.#bytes, this.#from, end);
    this.#from = closed;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function endsScalar(byte: number | undefined): boolean {
  return byte === comma || byte === closeBrace || byte === closeBracket || isSpace(byte);
}
