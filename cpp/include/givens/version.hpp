// The version of the library. CMake and the Python package read it from here.
#pragma once

#define GIVENS_VERSION_MAJOR 0
#define GIVENS_VERSION_MINOR 1
#define GIVENS_VERSION_PATCH 0
#define GIVENS_VERSION "0.1.0"
