/// <reference types="localforage" />

/** From the script tag in index.html. */
declare const localforage: LocalForage;
