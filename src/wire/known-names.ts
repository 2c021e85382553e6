/**
 * Reads lists of node names out of JSON bytes without making the names again. kube-scheduler sends thousands of the same
 * names with every call, mostly in the order of the call before; each is compared, byte by byte, with the name that came
 * after its predecessor last time, so an old text is found where a new one would have to be made, hashed and collected.
 * Anything but a plain list of plain names is left to the JSON parser; what is read is what that would have read.
 */

export interface NameList {
  readonly names: string[];
  /** Where the bytes go on behind the list. */
  readonly end: number;
}

interface KnownName {
  readonly text: string;
  readonly bytes: Uint8Array;
  /** The name that came after it last time; a guess. */
  next: KnownName | undefined;
}

const quote = 0x22;
const comma = 0x2c;
const closing = 0x5d;
/** Those of DNS names; none of them is written with an escape. */
const isPlain = /^[0-9A-Za-z.-]*$/;
/** The longest name of an object (RFC 1123). */
const longestName = 253;
/** Names come from outside, so not more are kept than a cluster has. */
const mostNames = 50_000;

export class KnownNames {
  readonly #most: number;
  readonly #byText = new Map<string, KnownName>();
  #start: KnownName = { text: '', bytes: new Uint8Array(), next: undefined };

  /** @param most how many names are kept at a time */
  constructor(most = mostNames) {
    this.#most = most;
  }

  /** How many names are kept. */
  get size(): number {
    return this.#byText.size;
  }

  /**
   * The strings of a JSON array, written without spaces.
   *
   * @param at the first byte behind the opening bracket
   * @returns undefined where it is not such a list: it may be another JSON value, or none
   */
  read(json: Uint8Array, at: number): NameList | undefined {
    const names: string[] = [];
    let before = this.#start;
    let position = at;
    if (json[position] === closing) return { names, end: position + 1 };
    for (;;) {
      if (json[position] !== quote) return undefined;
      const start = position + 1;
      const known = hasName(json, start, before.next) ? before.next : this.#find(json, start);
      if (known === undefined) return undefined;
      before.next = known;
      before = known;
      names.push(known.text);
      position = start + known.bytes.length + 1;
      const byte = json[position];
      position += 1;
      if (byte === closing) return { names, end: position };
      if (byte !== comma) return undefined;
    }
  }

  #find(json: Uint8Array, start: number): KnownName | undefined {
    const length = json.subarray(start, start + longestName + 1).indexOf(quote);
    if (length < 0) return undefined;
    const text = String.fromCharCode(...json.subarray(start, start + length));
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (!isPlain.test(text)) return undefined;
    if (this.#byText.size >= this.#most) this.#forget();
    const added = { text, bytes: json.slice(start, start + length), next: undefined };
    this.#byText.set(text, added);
    return added;
  }

  /** Those of the list at hand stay alive through it alone. */
  #forget(): void {
    this.#byText.clear();
    this.#start = { text: '', bytes: new Uint8Array(), next: undefined };
  }
}

function hasName(json: Uint8Array, start: number, known: KnownName | undefined): known is KnownName {
  if (known === undefined) return false;
  const { bytes } = known;
  for (let index = 0; index < bytes.length; index += 1) {
    if (json[start + index] !== bytes[index]) return false;
  }
  return json[start + bytes.length] === quote;
}
