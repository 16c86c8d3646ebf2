import { mayOverflow, WITHOUT_EXPIRY } from "../support/record.js";
import { decodeJson } from "./json_text.js";
import { TextReader } from "./text_reader.js";

/**
 * A page of records as `polystore_engine_next` returns it: bytes, which a worker can transfer to its page without a copy. All texts
 * and values are decoded at once, which is five times as fast as one after the other.
 */
export class EntryPage {
  /**
   * @param {ArrayBuffer} buffer
   * @param {number} count
   * @param {boolean} withValues
   * @param {boolean} isLast True if it is known that no page follows.
   */
  constructor(buffer, count, withValues, isLast) {
    this.buffer = buffer;
    this.count = count;
    this.withValues = withValues;
    this.isLast = isLast;
  }

  /**
   * @returns {import("../core/client.js").Page}
   * @throws {PolystoreError} ERR_CORRUPT, with the key, if a value is not JSON or contains a number that JavaScript cannot hold.
   */
  decode() {
    const { buffer, count, withValues } = this;
    const expires = new Float64Array(buffer, 0, count);
    const keyLengths = new Uint32Array(buffer, 8 * count, count);
    const valueLengths = new Uint32Array(buffer, 12 * count, withValues ? count : 0);
    const keysStart = (withValues ? 16 : 12) * count;
    const keysLength = sum(keyLengths);
    const reader = new TextReader();
    const bytes = new Uint8Array(buffer);
    const ids = textsOf(reader, bytes, keysStart, keysLength, keyLengths, 0);
    if (!withValues) {
      const found = Array.from(expires, (at) => (at === Infinity ? WITHOUT_EXPIRY : { expires: at, value: true }));
      return { ids, found };
    }
    const start = keysStart + keysLength;
    const values = valuesOf(reader, bytes, start, valueLengths, ids);
    const found = values.map((value, i) => ({ expires: expires[i] === Infinity ? null : expires[i], value }));
    return { ids, found };
  }
}

/**
 * Decodes consecutive texts.
 * @param {TextReader} reader
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} start
 * @param {number} length
 * @param {Uint32Array} lengths
 * @param {number} gap The number of bytes between one text and the next.
 */
function textsOf(reader, bytes, start, length, lengths, gap) {
  const all = reader.read(bytes, start, length);
  const isAscii = all.length === length;
  let at = 0;
  return Array.from(lengths, (length) => {
    const text = isAscii ? all.slice(at, at + length) : reader.read(bytes, start + at, length);
    at += length + gap;
    return text;
  });
}

/**
 * Decodes consecutive JSON texts that are separated by commas.
 * @param {TextReader} reader
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} start
 * @param {Uint32Array} lengths
 * @param {string[]} ids
 * @returns {any[]}
 */
function valuesOf(reader, bytes, start, lengths, ids) {
  const length = sum(lengths) + lengths.length;
  try {
    const text = reader.read(bytes, start, Math.max(0, length - 1));
    const values = JSON.parse(`[${text}]`);
    if (values.length === lengths.length && !mayOverflow(text)) return values;
  } catch {
    // One of the texts is not valid; decoding each one below finds out which.
  }
  return textsOf(reader, bytes, start, length, lengths, 1).map((text, i) => decodeJson(ids[i], text));
}

/** @param {Uint32Array} numbers */
function sum(numbers) {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
