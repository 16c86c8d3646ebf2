// What the declarations of embind call when the core starts, as far as numbers need it: what crosses is a number on both
// sides, so no type needs a converter. embind's own runtime, which has them all, is 2.5 KB (brotli) of every page.
mergeInto(LibraryManager.library, {
  $enumerations: {},
  $textAt: function (address) {
    var text = "";
    while (HEAPU8[address]) text += String.fromCharCode(HEAPU8[address++]);
    return text;
  },
  _embind_register_enum__deps: ["$enumerations", "$textAt"],
  _embind_register_enum: function (type, name) {
    Module[textAt(name)] = enumerations[type] = {};
  },
  _embind_register_enum_value__deps: ["$enumerations", "$textAt"],
  _embind_register_enum_value: function (type, name, value) {
    enumerations[type][textAt(name)] = value;
  },
  _embind_register_constant__deps: ["$textAt"],
  _embind_register_constant: function (name, type, value) {
    Module[textAt(name)] = value;
  },
  _embind_register_function__deps: ["$textAt"],
  _embind_register_function: function (name, count, types, signature, invoker, called) {
    Module[textAt(name)] = wasmTable.get(invoker).bind(null, called);
  },
});
