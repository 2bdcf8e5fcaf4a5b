# Every target sets up what it needs. Only Python 3.11 or later, g++ and make must be there before;
# CMake, Ninja and the rest come from PyPI into .venv.

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
# Python compiles what is imported of the tools, which is a small part of them.
INSTALL := $(PIP) install --quiet --no-compile

# The tools of the environment come before the system's. In the last folder Clang's sanitizers find the
# program that names the lines of a report.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH):/usr/lib/llvm-16/bin

# GCC, the default on Linux, compiles what is tested in full; Clang compiles the engines once more, and
# what runs under the sanitizers. CMakePresets.json names the same compiler.
CLANG := clang++-16

# nvcc takes minutes for the CUDA engine, so the package is built without it unless one asks for it:
# make GIVENS_CUDA=auto
GIVENS_CUDA ?= off

# How many tests CTest runs at a time.
export CTEST_PARALLEL_LEVEL ?= $(shell nproc 2>/dev/null || echo 2)

# The sources of the Python package, and their folders, whose time changes when a file is removed.
PACKAGE_SOURCES := CMakeLists.txt pyproject.toml README.md LICENSE \
	$(shell find cpp cmake cuda python -not -name '__pycache__' -not -name '*.pyc')

CPP_TEST_SOURCES := $(shell find tests/cpp tests/cuda)

ENGINE_TESTS := $(addprefix tests/python/transform/test_,gradients.py matrix_and_rotate.py properties.py)

.PHONY: help demo test lint types format test-cpp build-clang test-clang test-sanitizers test-embed \
	test-cuda-python test-cuda-build test-python test-torch-oldest test-portability test-arm test-windows \
	test-macos bench bench-cuda wheel-cuda clean test-packages
.DELETE_ON_ERROR:

help:
	@echo 'make demo             build the package and draw build/demo.png with it'
	@echo 'make test             everything that CI runs: lint and the eight test-... that follow'
	@echo 'make lint             all checks of .pre-commit-config.yaml (types: mypy alone)'
	@echo 'make format           format Python and C++'
	@echo 'make test-sanitizers  C++ tests by Clang, under the address, undefined-behaviour and thread'
	@echo '                      sanitizers, warnings as errors'
	@echo 'make test-cpp         C++ tests and Python bindings by GCC, warnings as errors'
	@echo 'make test-clang       Python tests of the engines by Clang, warnings as errors'
	@echo 'make test-embed       programs that use the C++ library, installed and as a part of them'
	@echo 'make test-cuda-python Python tests with arrays on a GPU, on the emulator of CUDA'
	@echo 'make test-cuda-build  the CUDA engine by nvcc, where there is one, and checks of its code'
	@echo 'make test-torch-oldest Python tests of what a version of PyTorch could break, with the oldest'
	@echo 'make test-python      Python tests'
	@echo 'make test-portability C++ tests for Arm (QEMU) and Windows (Wine), a program for macOS;'
	@echo '                      takes long and is not in make test'
	@echo 'make bench            compare the speed of the package and of others: build/bench.*'
	@echo 'make bench-cuda       the same on a GPU, where there are one, nvcc and CuPy: build/bench-cuda.*'
	@echo 'make wheel-cuda       a wheel with the CUDA engine for all cards, checked: build/wheels'
	@echo 'make clean            remove .venv, build and the caches of the tools'

# --- Environment: a stamp file is newer than what it was made from ------------------------------

# The tools to build with are in the environment itself: pip then needs no environment of its own for
# each build, and only what has changed is compiled again.
$(VENV)/.build-tools: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or later is needed: make PYTHON=/path/to/python3'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -c 'import tomllib; \
		project = tomllib.load(open("pyproject.toml", "rb")); \
		print(*project["build-system"]["requires"], "cmake>=3.25", "ninja>=1.11", sep="\n")' \
		> $(VENV)/build-tools.txt
	$(INSTALL) -r $(VENV)/build-tools.txt
	touch $@

# The package, with what the demo needs.
$(VENV)/.package: $(VENV)/.build-tools $(PACKAGE_SOURCES)
	$(INSTALL) --no-build-isolation \
		--config-settings=cmake.define.GIVENS_CUDA=$(GIVENS_CUDA) '.[demo]'
	touch $@

# The package with the C++ tests and with warnings as errors. It is installed, so that the
# Python tests test the same objects. The headers of jaxlib are among the tools.
$(VENV)/.package-with-tests: $(VENV)/.dev-tools $(PACKAGE_SOURCES) $(CPP_TEST_SOURCES) | test-packages
	$(INSTALL) --no-build-isolation --config-settings=build-dir=build/package \
		--config-settings=cmake.define.GIVENS_BUILD_TESTS=ON \
		--config-settings=cmake.define.GIVENS_INSTALL=ON \
		--config-settings=cmake.define.GIVENS_WARNINGS_AS_ERRORS=ON \
		--config-settings=cmake.define.GIVENS_JAX=on \
		--config-settings=cmake.define.GIVENS_CUDA=$(GIVENS_CUDA) '.[demo]'
	touch $(VENV)/.package $@

# The requirements of extras and of the package, but not the package itself: checks of the source do
# not need it, and it would be built once more.
requirements = $(VENV)/bin/python -c 'import sys, tomllib; \
	project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
	extras = [n for e in sys.argv[1:] for n in project["optional-dependencies"][e]]; \
	print(*project["dependencies"], *(n for n in extras if not n.startswith("givens")), sep="\n")'

# What the tests and checks need.
$(VENV)/.dev-tools: $(VENV)/.build-tools
	$(requirements) demo jax test dev > $(VENV)/dev-tools.txt
	$(INSTALL) -r $(VENV)/dev-tools.txt
	touch $@

# What the benchmarks compare with.
$(VENV)/.bench-tools: $(VENV)/.build-tools
	$(requirements) bench > $(VENV)/bench-tools.txt
	$(INSTALL) -r $(VENV)/bench-tools.txt
	touch $@

# $(call install,packages,who needs) installs the packages by apt-get if it may and else asks for them.
install = sudo=; [ "$$(id -u)" = 0 ] || sudo='sudo -n'; \
	$$sudo apt-get install -y $(1) || \
	{ $$sudo apt-get update && $$sudo apt-get install -y $(1); } || \
	{ echo "$(2) the packages $(1)"; exit 1; }

# What the C++ tests need and PyPI does not have: doctest, Boost.Context for the emulator of CUDA, and
# Clang with its sanitizers.
test-packages:
	@if ! printf '#include <doctest/doctest.h>\n#include <boost/context/fiber.hpp>\n' | \
			$(CXX) -E -x c++ - >/dev/null 2>&1; then \
		$(call install,doctest-dev libboost-context-dev,The C++ tests need); \
	fi
	@if ! command -v $(CLANG) >/dev/null || ! command -v llvm-symbolizer >/dev/null || \
			! ls /usr/lib/llvm-16/lib/clang/16/lib/linux/libclang_rt.tsan-*.a >/dev/null 2>&1; then \
		$(call install,clang-16 libclang-rt-16-dev llvm-16,The C++ tests need); \
	fi

# --- What people call ---------------------------------------------------------------------------

demo: $(VENV)/.package
	@mkdir -p build
	$(VENV)/bin/python -m givens demo --output build/demo.png

# One after the other, whatever -j says, except that what has one thread runs beside a compilation: the
# installation of the tools, and lint. pytest comes last, so that its summary closes the output.
test:
	$(MAKE) --jobs=2 $(VENV)/.dev-tools test-sanitizers
	$(MAKE) --jobs=2 lint test-cpp
	$(MAKE) test-clang
	$(MAKE) test-embed
	$(MAKE) test-cuda-python
	$(MAKE) test-cuda-build
	$(MAKE) test-torch-oldest
	$(MAKE) test-python

lint: $(VENV)/.dev-tools
	pre-commit run --all-files --show-diff-on-failure

types: $(VENV)/.dev-tools
	pre-commit run --all-files mypy

format: $(VENV)/.dev-tools
	ruff check --fix-only --quiet .
	ruff format .
	find cpp cuda python/bindings tests '(' -name '*.[ch]pp' -o -name '*.cu' -o -name '*.cuh' ')' \
		-exec clang-format -i {} +

test-cpp: $(VENV)/.package-with-tests
	ctest --test-dir build/package --output-on-failure --no-tests=error

# The C++ tests by Clang run under the sanitizers. This tests an engine as users get it. The library is a
# part of another project, for test-embed too: no build type is chosen, and givens must not choose one.
# The tests run the best engine, so that AVX2 is asked for warnings only.
CLANG_BUILD := build/clang-embed
build-clang: $(VENV)/.dev-tools test-packages
	cmake -S tests/embed -B $(CLANG_BUILD) -G Ninja -DCMAKE_CXX_COMPILER=$(CLANG) \
		-DCMAKE_CXX_FLAGS='-O3 -DNDEBUG' -DBUILD_SHARED_LIBS=ON -DGIVENS_SOURCE_DIR=$(CURDIR) \
		-DGIVENS_ISAS=avx512 -DGIVENS_CUDA=off -DGIVENS_INSTALL=ON -DGIVENS_BUILD_TESTS=ON \
		-DGIVENS_WARNINGS_AS_ERRORS=ON -DGIVENS_BUILD_PYTHON=ON -DGIVENS_JAX=off \
		-DPython_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python \
		-Dpybind11_DIR="$$(python -m pybind11 --cmakedir)"
	cmake --build $(CLANG_BUILD) --target consumer givens_python givens_headers
	$(CLANG) -std=c++17 -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Wno-psabi -Werror \
		-Icpp/include -Icpp/src cpp/src/cpu/targets/avx2.cpp

test-clang: build-clang
	rm -rf $(CLANG_BUILD)/package && mkdir $(CLANG_BUILD)/package
	cp -r python/givens $(CLANG_BUILD)/package/
	cp $(CLANG_BUILD)/givens/python/bindings/_core.*.so $(CLANG_BUILD)/package/givens/
	PYTHONPATH=$(CURDIR)/$(CLANG_BUILD)/package $(PYTEST) --quiet $(ENGINE_TESTS)

test-sanitizers: $(VENV)/.build-tools test-packages
	cmake --preset asan
	cmake --build --preset asan
	ctest --preset asan
	cmake --preset tsan
	cmake --build --preset tsan
	ctest --preset tsan

# What `make test` cannot see on x86-64 with Linux. It takes long, so `make test` does without.
test-portability: test-arm test-windows test-macos

# The NEON engine, without an Arm processor.
test-arm: $(VENV)/.build-tools test-packages
	@command -v aarch64-linux-gnu-g++ >/dev/null && command -v qemu-aarch64 >/dev/null || \
		{ $(call install,g++-aarch64-linux-gnu qemu-user,Tests for Arm need); }
	cmake --preset arm
	cmake --build --preset arm
	ctest --preset arm

test-windows: $(VENV)/.build-tools test-packages
	@for tool in x86_64-w64-mingw32-g++-posix ld.lld-16 wine; do \
		command -v $$tool >/dev/null && continue; \
		$(call install,g++-mingw-w64-x86-64-posix lld-16 wine wine64,Tests for Windows need); \
		break; \
	done
	cmake --preset windows
	cmake --build --preset windows
	ctest --preset windows

# Nothing here runs programs for macOS: this one is linked to the static library, and that is all.
test-macos: $(VENV)/.build-tools
	$(INSTALL) ziglang==0.17.1
	cmake -S tests/embed -B build/macos -G Ninja -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_TOOLCHAIN_FILE=$(CURDIR)/cmake/toolchains/macos.cmake \
		-DGIVENS_SOURCE_DIR=$(CURDIR) -DGIVENS_WARNINGS_AS_ERRORS=ON
	cmake --build build/macos

# The static library is by GCC, the shared one and the programs by Clang.
test-embed: $(VENV)/.package-with-tests build-clang
	CXX=$(CLANG) tests/embed/run build/package $(CLANG_BUILD)

# The same bindings as in the package, with kernels that run on the host. Skipped tests fail here.
test-cuda-python: $(VENV)/.package-with-tests $(VENV)/.dev-tools
	GIVENS_CUDA_MODULE="$$(echo $(CURDIR)/build/package/emulated/_cuda.*)" \
		python -m pytest tests/python/dispatch/test_cuda_arrays.py tests/python/jax/test_jax_cuda.py

# Compiles the CUDA engine for one architecture, where there is nvcc, and checks the compiled code. It
# runs on no machine without a GPU, but the module must load on all; optimising its C++ would gain nothing.
NVCC := $(firstword $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA_BUILD := build/cuda
test-cuda-build: $(VENV)/.package $(VENV)/.dev-tools
ifeq ($(NVCC),)
	@echo 'There is no nvcc here: the CUDA engine is not compiled'
else
	$(INSTALL) nvidia-cuda-cuobjdump nvidia-cuda-nvdisasm
	cmake --preset cuda -DCMAKE_CUDA_COMPILER=$(NVCC) -DCMAKE_CXX_FLAGS_RELEASE='-O0 -DNDEBUG' \
		-DPython_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python \
		-Dpybind11_DIR="$$(python -m pybind11 --cmakedir)"
	cmake --build --preset cuda
	PATH="$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nvidia/cu*/bin):$$PATH" \
		python tests/cuda/check_compiled.py \
		$$(find $(CUDA_BUILD) -name 'kernels_*.cu.o')
	python tests/cuda/check_module.py "$$(find $(CUDA_BUILD) -name '_cuda.*.so')"
endif

# A process for each processor takes the tests file by file.
PYTEST := python -m pytest --numprocesses auto --dist loadfile

# The C++ tests compare every engine with the reference engine. These are run with that engine and with
# the default, and with both ways in which XLA calls the library; derivatives in plain JAX only once.
# Further processes would take longer to start than they saved in the first two runs.
test-python: $(VENV)/.package $(VENV)/.dev-tools
	GIVENS_ISA=reference python -m pytest --quiet $(ENGINE_TESTS)
	GIVENS_JAX_CALLS=callback python -m pytest --quiet tests/python/jax/test_jax.py tests/python/jax/test_jax_export.py \
		-k "not fwd and not modes"
	$(PYTEST)

# The oldest PyTorch that the package allows, in an environment that has all else from the main one.
OLDEST := build/torch-oldest/.venv
$(OLDEST)/.torch: $(VENV)/.dev-tools
	$(VENV)/bin/python -m venv --clear --without-pip $(OLDEST)
	$(VENV)/bin/python -c 'import site; print(*site.getsitepackages())' \
		> $$(echo $(OLDEST)/lib/python3*/site-packages)/main.pth
	$(VENV)/bin/python -c 'import tomllib; \
		project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		print(project["optional-dependencies"]["torch"][0].replace(">=", "~=") + ".0")' \
		> $(OLDEST)/torch.txt
	$(PIP) --python $(OLDEST)/bin/python install --quiet --no-deps --no-compile -r $(OLDEST)/torch.txt
	touch $@

# Derivatives and ahead-of-time compilation take long, and go the same ways as what is run here.
test-torch-oldest: $(VENV)/.package $(OLDEST)/.torch
	$(OLDEST)/bin/python -m pytest --quiet \
		$(addprefix tests/python/torch/test_torch_,functions.py layer.py tracing.py distributed.py) \
		-k "not derivatives and not ahead_of_time and not distributed_tensors"

# BENCH_ARGS are options that override the ones here: make bench BENCH_ARGS='--sizes 64,512 --chart chart.png'
bench: $(VENV)/.package $(VENV)/.bench-tools
	@mkdir -p build
	$(VENV)/bin/python benchmarks/run.py --json build/bench.json --markdown build/bench.md \
		--chart build/bench.png $(BENCH_ARGS)

# CuPy is not installed here, because the right one of its packages depends on the driver.
bench-cuda: $(VENV)/.bench-tools
	@mkdir -p build
	$(INSTALL) --no-build-isolation --config-settings=build-dir=build/wheel-cuda \
		--config-settings=cmake.define.GIVENS_CUDA=on .
	$(VENV)/bin/python benchmarks/run.py --gpu --json build/bench-cuda.json \
		--markdown build/bench-cuda.md $(BENCH_ARGS)

# For every architecture, which takes nvcc a quarter of an hour.
wheel-cuda: $(VENV)/.build-tools
	rm -rf build/wheels
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir build/wheels \
		--config-settings=build-dir=build/wheel-cuda \
		--config-settings=cmake.define.GIVENS_CUDA=on .
	$(INSTALL) nvidia-cuda-cuobjdump
	PATH="$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nvidia/cu*/bin):$$PATH" \
		$(VENV)/bin/python tests/cuda/check_wheel.py build/wheels/givens-*.whl

clean:
	rm -rf $(VENV) build .hypothesis .mypy_cache .pytest_cache .ruff_cache
