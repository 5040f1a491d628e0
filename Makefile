# The two commands of a newcomer are `make demo` and `make test`; the rest is for developers.
# Meson does the building, in build/.
BUILD ?= build

.PHONY: all demo test faults screenshots deps bench clean format tidy fuzz

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

# Installs what is missing of Debian's packages; does nothing when all are there.
deps:
	@tools/install-dependencies.sh

demo: all
	@SUTURE_BUILD=$(abspath $(BUILD)) demo/run.sh

test: deps
	@tests/run.sh

# Many more points than the sample of the tests; writes docs/RELIABILITY.md.
SUTURE_FAULTS ?= full
faults: all
	@SUTURE_FAULTS=$(SUTURE_FAULTS) SUTURE_BUILD=$(abspath $(BUILD)) /usr/bin/python3 -B -m pytest -p no:cacheprovider -q -n 2 tests/faults

# Of the panel and the page in each of their states: docs/screenshots.
screenshots: all
	@SUTURE_BUILD=$(abspath $(BUILD)) /usr/bin/python3 -B -m pytest -p no:cacheprovider -q tests/settings/screenshots.py
	@SUTURE_BUILD=$(abspath $(BUILD)) /usr/bin/python3 -B -m pytest -p no:cacheprovider -q tests/page/screenshots.py

bench: all
	@SUTURE_BUILD=$(abspath $(BUILD)) bench/run.sh

bench-%: all
	@SUTURE_BUILD=$(abspath $(BUILD)) bench/run.sh $*

format:
	git ls-files '*.[ch]' | xargs clang-format -i

tidy: all
	@tests/lint/tidy.sh $(BUILD)

clean:
	rm -rf $(BUILD) build-*
