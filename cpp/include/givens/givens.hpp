// Everything the library offers to a C++ program.
#pragma once

#include "givens/approximate.hpp"
#include "givens/decompose.hpp"
#include "givens/half.hpp"
#include "givens/jacobi.hpp"
#include "givens/jvp.hpp"
#include "givens/operator.hpp"
#include "givens/schedule.hpp"
#include "givens/transform.hpp"
#include "givens/version.hpp"
#include "givens/view.hpp"
