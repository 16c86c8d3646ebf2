import { literal } from "./code.js";
import { make, part } from "./parts.js";

/** @typedef {import("./deadlines.js").Deadline} Deadline */

// From here on a countdown asks for attention.
const SHORT_MS = 5_000;

/** An entry on the page, with its countdown. */
export class Row {
  element = make("row");
  readButton = part(this.element, "read", HTMLButtonElement);
  deleteButton = part(this.element, "delete", HTMLButtonElement);
  #value = part(this.element, "value", HTMLElement);
  #time = part(this.element, "time", HTMLElement);
  #bar = part(this.element, "bar", HTMLElement);
  /** @type {Deadline | undefined} */
  #deadline;

  /**
   * @param {string} key
   * @param {string} storageName
   */
  constructor(key, storageName) {
    part(this.element, "key", HTMLElement).textContent = literal(key).slice(1, -1);
    this.readButton.ariaLabel = `Read ${key} from ${storageName}`;
    this.deleteButton.ariaLabel = `Delete ${key} from ${storageName}`;
  }

  /**
   * @param {unknown} value
   * @param {Deadline | undefined} deadline
   */
  update(value, deadline) {
    this.#value.textContent = literal(value);
    this.#deadline = deadline;
    this.#bar.hidden = deadline === undefined;
    this.tick();
  }

  /** Shows the time that is left. */
  tick() {
    if (this.#deadline === undefined) {
      this.#time.textContent = "stays";
      return;
    }
    const left = Math.max(0, this.#deadline.at - Date.now());
    this.#time.textContent = duration(left);
    this.#bar.style.setProperty("--left", String(left / (this.#deadline.seconds * 1000)));
    this.element.classList.toggle("short", left <= SHORT_MS);
  }

  /** Whether its time is up, as far as the page knows. */
  get due() {
    return this.#deadline !== undefined && this.#deadline.at <= Date.now();
  }

  /** @param {Row} other */
  isBefore(other) {
    return (this.element.compareDocumentPosition(other.element) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  }

  /** Takes it from the page. */
  async leave() {
    this.element.inert = true;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const height = `${this.element.offsetHeight}px`;
      const frames = [
        { opacity: 1, height },
        { opacity: 0, height, offset: 0.5 },
        { opacity: 0, height: 0, paddingBlock: 0, borderWidth: 0 },
      ];
      await this.element.animate(frames, { duration: 320, easing: "ease-out" }).finished;
    }
    this.element.remove();
  }
}

/** @param {number} left In milliseconds. */
function duration(left) {
  const seconds = Math.ceil(left / 1000);
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
