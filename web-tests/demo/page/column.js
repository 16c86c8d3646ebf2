import { del, clear, get } from "./calls.js";
import { literal, showCode } from "./code.js";
import { Deadlines } from "./deadlines.js";
import { make, part } from "./parts.js";
import kv, { PolystoreError } from "./polystore/index.js";
import { Row } from "./row.js";

/** @typedef {import("./calls.js").Call} Call */

/** A storage on the page: its entries as the store lists them, and what became of the last call. */
export class Column extends EventTarget {
  element = make("column");
  name;
  #store;
  #deadlines;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #list = part(this.element, "rows", HTMLElement);
  #count = part(this.element, "count", HTMLElement);
  #last = part(this.element, "last", HTMLElement);
  #call = part(this.element, "call", HTMLElement);
  #answer = part(this.element, "answer", HTMLElement);
  #reason = part(this.element, "reason", HTMLElement);
  #took = part(this.element, "took", HTMLElement);
  #clearButton = part(this.element, "clear", HTMLButtonElement);

  /**
   * Dispatches "call", with the Call as its detail, when one of its buttons is pressed; "expired", with the keys, when
   * the store has dropped them.
   * @param {import("./storages.js").ShownStorage} storage
   */
  constructor({ name, code, client, note }) {
    super();
    const ours = kv(client()).prefix("demo:");
    this.name = name;
    this.#store = ours.prefix("data:");
    this.#deadlines = new Deadlines(ours.prefix("until:"));

    const heading = part(this.element, "name", HTMLElement);
    heading.textContent = name;
    heading.id = `name-${name}`;
    this.element.setAttribute("aria-labelledby", heading.id);
    showCode(part(this.element, "code", HTMLElement), code);
    part(this.element, "note", HTMLElement).textContent = note;
    this.#clearButton.ariaLabel = `Clear ${name}`;
    this.#clearButton.addEventListener("click", () => this.#ask(clear()));
  }

  get size() {
    return this.#rows.size;
  }

  /**
   * @param {Call} call
   * @returns {Promise<string | undefined>} The code of the error, if it failed.
   */
  async run({ code, run, follow }) {
    const start = performance.now();
    /** @type {string | undefined} */
    let failure;
    try {
      const result = await run(this.#store);
      this.#show(code, performance.now() - start, literal(result));
      await follow?.(this.#deadlines);
    } catch (error) {
      if (!(error instanceof PolystoreError)) throw error;
      failure = error.code;
      this.#show(code, performance.now() - start, failure, error.message);
    }
    this.#last.classList.toggle("failed", failure !== undefined);
    await this.refresh();
    return failure;
  }

  /** Shows what the store holds now. */
  async refresh() {
    const [entries, deadlines] = await Promise.all([this.#store.entries(), this.#deadlines.all()]);
    const values = new Map(entries);
    this.#drop([...this.#rows].filter(([key]) => !values.has(key)));
    // By key, so that the columns can be read across.
    const keys = [...values.keys()].sort();
    keys.forEach((key, i) => this.#rowAt(i, key).update(values.get(key), deadlines.get(key)));
    this.#count.textContent = keys.length === 1 ? "1 entry" : `${keys.length} entries`;
  }

  /** Moves the countdowns, and looks whether the store has dropped what is due. */
  tick() {
    const rows = [...this.#rows.values()];
    for (const row of rows) row.tick();
    return rows.some((row) => row.due) ? this.refresh() : undefined;
  }

  /**
   * The row of a key, made if it is not there, as the i-th of those that stay.
   * @param {number} i
   * @param {string} key
   */
  #rowAt(i, key) {
    const known = this.#rows.get(key);
    if (known) return known;
    const row = new Row(key, this.name);
    row.readButton.addEventListener("click", () => this.#ask(get(key)));
    row.deleteButton.addEventListener("click", () => this.#ask(del(key)));
    this.#rows.set(key, row);
    const staying = this.#list.querySelectorAll(":scope > :not([inert])");
    this.#list.insertBefore(row.element, staying[i] ?? null);
    return row;
  }

  /** @param {[key: string, row: Row][]} gone */
  #drop(gone) {
    if (gone.length === 0) return;
    const focused = gone.find(([, row]) => row.element.contains(document.activeElement));
    for (const [key, row] of gone) {
      this.#rows.delete(key);
      row.leave();
    }
    if (focused) this.#focusNear(focused[1]);
    const expired = gone.filter(([, row]) => row.due).map(([key]) => key);
    if (expired.length > 0) this.dispatchEvent(new CustomEvent("expired", { detail: expired }));
  }

  /**
   * Whoever deletes by the keyboard goes on with a row nearby, and does not fall to the top of the page.
   * @param {Row} gone
   */
  #focusNear(gone) {
    const staying = [...this.#rows.values()].sort((a, b) => (a.isBefore(b) ? -1 : 1));
    const next = staying.find((row) => gone.isBefore(row)) ?? staying.at(-1);
    (next?.deleteButton ?? this.#clearButton).focus();
  }

  /** @param {Call} call */
  #ask(call) {
    this.dispatchEvent(new CustomEvent("call", { detail: call }));
  }

  /**
   * @param {string} code
   * @param {number} took In milliseconds.
   * @param {string} answer What it resolved with, or the code of its error.
   * @param {string} [reason] The error's message.
   */
  #show(code, took, answer, reason = "") {
    showCode(this.#call, code);
    this.#took.textContent = `${took.toFixed(2)} ms`;
    showCode(this.#answer, answer);
    this.#reason.textContent = reason;
  }
}
