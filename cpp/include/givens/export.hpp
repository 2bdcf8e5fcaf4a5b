// Visibility of the public symbols.
#pragma once

#if defined(GIVENS_STATIC)
#define GIVENS_API
#elif defined(_WIN32)
#if defined(GIVENS_BUILDING)
#define GIVENS_API __declspec(dllexport)
#else
#define GIVENS_API __declspec(dllimport)
#endif
#else
#define GIVENS_API __attribute__((visibility("default")))
#endif
