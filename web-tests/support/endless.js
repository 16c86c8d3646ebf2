/** A client whose listing never ends by itself, a kilobyte an entry; `released` resolves when the listing is let go of. */
export function endless() {
  let given = 0;
  /** @type {(value?: unknown) => void} */
  let letGo = () => {};
  const released = new Promise((resolve) => (letGo = resolve));
  /** @type {any} */
  const client = {
    RAW: true,
    get() {},
    set() {},
    async *iterate() {
      try {
        for (;;) yield [`k${++given}`, "x".repeat(1000)];
      } finally {
        letGo();
      }
    },
  };
  return { client, released, given: () => given };
}
