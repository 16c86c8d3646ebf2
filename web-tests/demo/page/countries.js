/** @typedef {import("world-countries").Country} Country */

// Few and short: a browser keeps some 180 cookies for a site, and the same goes into every storage.
const CHOSEN = ["BR", "CA", "EG", "FR", "IN", "JP", "KE", "NZ"];

/** @returns {Promise<Country[]>} */
export async function fetchCountries() {
  const response = await fetch("./countries.json");
  if (!response.ok) throw new Error(`countries.json: ${response.status}`);
  /** @type {Country[]} */
  const countries = await response.json();
  return countries.filter(({ cca2 }) => CHOSEN.includes(cca2));
}
