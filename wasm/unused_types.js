// embind registers a converter for every C++ type that it knows, used or not. We pass numbers; what is left out here is
// 1.9 KB (brotli) of every page that loads us.
mergeInto(LibraryManager.library, {
  _embind_register_bigint: function () {},
  _embind_register_emval: function () {},
  _embind_register_memory_view: function () {},
  _embind_register_std_string: function () {},
  _embind_register_std_wstring: function () {},
});
