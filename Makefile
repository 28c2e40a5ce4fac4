# Thin front of meson. `make run` and `make test` do all the set-up on a fresh Debian machine.
BUILD := build
export CCACHE_DIR ?= $(HOME)/.cache/ccache
export JOBS ?= $(shell nproc)
export PREFIX DESTDIR SYSTEMD
comma := ,
# Quietly, unless it fails: what meson looked for is in the log of every build folder.
setup = meson setup $(BUILD)/$(1) $(2) >$(BUILD)-setup.log 2>&1 || { tail -30 $(BUILD)-setup.log; exit 1; }; rm -f $(BUILD)-setup.log

.PHONY: all run demo build check test fuzz bench docs lint format install uninstall clean

all: build

$(BUILD)/release/build.ninja:
	@$(call setup,release,--buildtype=release -Doptimization=3 -Db_lto=false)
$(BUILD)/check/build.ninja:
	@$(call setup,check,--buildtype=debugoptimized -Doptimization=1 -Db_sanitize=address$(comma)undefined -Db_lundef=false)
$(BUILD)/clang/build.ninja:
	@CC=clang-14 $(call setup,clang,--buildtype=debugoptimized)

# The three programs and nothing else.
build: $(BUILD)/release/build.ninja
	@tools/build $(BUILD)/release programs
	@for p in sensor/daizong-sensor cli/daizong embedded/daizong-store; do \
	  [ ! -x $(BUILD)/release/src/$$p ] || ln -sf src/$$p $(BUILD)/release/; done

check: $(BUILD)/check/build.ninja
	@tools/build $(BUILD)/check
	meson test -C $(BUILD)/check --no-rebuild --suite unit --print-errorlogs

# Everything: installs what is missing, builds with sanitizers and for release, runs all suites.
test:
	tools/setup test
	$(MAKE) -s build
	tools/build $(BUILD)/release
	$(MAKE) -s $(BUILD)/check/build.ninja
	tools/build $(BUILD)/check
	tests/run

# Each fuzz target with libFuzzer for FUZZ_SECONDS (30); TARGET=x runs that one. Findings stay in build/fuzz/findings.
$(BUILD)/fuzz/build.ninja:
	CC=clang-14 meson setup $(BUILD)/fuzz --buildtype=debugoptimized -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
fuzz: $(BUILD)/fuzz/build.ninja
	ninja -C $(BUILD)/fuzz -j$(JOBS) fuzzers
	tests/fuzz/run $(TARGET)

# Figures as tables: the sensor's costs, what the judges say, the store's intake with and without the
# raw line, and the whole node with its API over 10 million events. Needs 8 GB in /tmp.
bench: build
	tools/build $(BUILD)/release
	bench/sensor.py
	tests/judges/run
	bench/store.py 5000000
	bench/store.py 5000000 --raw
	bench/api.py

# What the field table gives: the event reference and the JSON schema, both committed.
docs: $(BUILD)/release/build.ninja
	ninja -C $(BUILD)/release -j$(JOBS) src/event/generate
	mkdir -p docs/reference schema
	$(BUILD)/release/src/event/generate reference >docs/reference/events.md
	$(BUILD)/release/src/event/generate schema >schema/eve.json

# Shows the demo captures, or what IFACE= or PCAP= names, on LISTEN= (127.0.0.1:8600).
run:
	@tools/setup run
	@$(MAKE) -s build
	@tools/run

# Programs, engine, rules, manual, completions and service below $(DESTDIR)$(PREFIX); no building as root here.
install:
	@packaging/install
uninstall:
	@packaging/install --remove

# Records the demo captures anew (root).
demo:
	demo/record

lint:
	tools/lint

format:
	tools/format

clean:
	rm -rf $(BUILD)
