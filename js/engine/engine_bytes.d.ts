/** The bytes of the engine, one character (U+0000 to U+00FF) a byte. */
declare const bytes: string;
export default bytes;
