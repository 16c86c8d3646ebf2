/** The bytes of the core, one character (U+0000 to U+00FF) a byte. */
declare const bytes: string;
export default bytes;
