// embind's prebuilt library formats the address of an unknown type for an error message that we never show, and links
// all of printf for it: 2 KB (brotli) of every page. What is defined here is taken instead.

extern "C" {

int sprintf(char* text, const char* /*format*/, ...) {
    *text = '\0';
    return 0;
}

int siprintf(char* text, const char* /*format*/, ...) {
    *text = '\0';
    return 0;
}

int __small_sprintf(char* text, const char* /*format*/, ...) {
    *text = '\0';
    return 0;
}
}
