# Thin: each target calls what does the work. `make demo` and `make test` install what they need (Debian's packages).
BUILD ?= build
.PHONY: demo test soak bench build install clean deps undemo

build: deps
	@scripts/build.sh $(BUILD) Release

demo: build
	@scripts/demo.sh $(BUILD)

undemo:
	@scripts/as-root.sh $(BUILD)/bin/pig sandbox down --name demo

test: deps
	@scripts/as-root.sh tests/run.sh

soak: build
	@scripts/as-root.sh tests/soak.sh

bench: build
	@tests/bench/lang.sh
	@scripts/as-root.sh tests/bench/run.sh

install: build
	@cmake --install $(BUILD)

clean:
	rm -rf build build-*

deps:
	@scripts/deps.sh
