# thinstate. `make` lists the targets.
#
# Every call of cargo uses the release profile, also for tests, clippy and docs: RocksDB's C++, the better part of a first
# build (a quarter of an hour on two cores), is then compiled once and not once for each profile.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# A folder of real blocks for `make demo`, optional.
MAINNET ?=
# Where `make demo` puts its files.
OUT ?= out/demo
# What `make compare` runs (`peers`, or `replay`: the workloads of `thinstate replay` on other stores), its options, as
# `thinstate-compare peers --help` lists them, and features to build with: `--features firewood`.
COMPARE_COMMAND ?= peers
COMPARE ?=
COMPARE_FEATURES ?=
# What checks and tests are built with beside the defaults: what no check compiles, rots.
CHECK_FEATURES := --features thinstate-replay/parquet
# Seconds that `make fuzz` gives each target.
FUZZ_SECONDS ?= 60

# The build folder: CARGO_TARGET_DIR if set; the one outside the checkout if it exists, so that checkouts share RocksDB's objects;
# otherwise target/.
SHARED_TARGET := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/thinstate/target
CARGO_TARGET_DIR ?= $(or $(patsubst %/.,%,$(wildcard $(SHARED_TARGET)/.)),$(CURDIR)/target)
export CARGO_TARGET_DIR

# Tools that cargo installs when they are missing, at the versions this project was checked with.
CARGO_DENY_VERSION := 0.20.2
TYPOS_VERSION := 1.52.0
CARGO_FUZZ_VERSION := 0.13.2
CARGO_BIN := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin
export PATH := $(PATH):$(CARGO_BIN)

# $(call install-tool,COMMAND,PACKAGE,VERSION): built in a folder of its own, so that the project's build folder keeps to the project.
install-tool = command -v $(1) >/dev/null || env -u CARGO_TARGET_DIR cargo install --locked $(2)@$(3)

.PHONY: help demo compare build test check fmt fmt-check lint doc deny typos bench bench-quick fuzz data install clean \
	prerequisites test-prerequisites this-checkout components

help: ## List the targets
	@printf 'usage: make TARGET [MAINNET=FOLDER] [OUT=FOLDER] [FUZZ_SECONDS=N] [COMPARE=OPTIONS]\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\nbuild folder: %s (set CARGO_TARGET_DIR for another)\n' '$(CARGO_TARGET_DIR)'

demo: build ## Build, run the demo on data/, then a study of all designs; MAINNET=FOLDER adds the real blocks there
	"$(CARGO_TARGET_DIR)/release/thinstate" demo --out "$(OUT)" $(if $(MAINNET),--mainnet "$(MAINNET)")
	rm -rf "$(OUT)/study"
	"$(CARGO_TARGET_DIR)/release/thinstate" device --dir "$(OUT)" --output "$(OUT)/device.toml"
	"$(CARGO_TARGET_DIR)/release/thinstate" study data/studies/demo.toml --device "$(OUT)/device.toml" \
		--out "$(OUT)/study" --cache "$(OUT)/study/cache"
	rm -rf "$(OUT)/study/cache"

compare: prerequisites ## Compare with other stores (redb, NOMT, ...), tables in docs/peers.md; COMPARE='--keys 10M' and so on
	@export ROCKSDB_STATIC=1; \
	locked() { grep -A1 '"librocksdb-sys"' "$$1/Cargo.lock"; }; \
	if [[ "$$(locked .)" == "$$(locked benches/compare)" ]]; then \
		ROCKSDB_LIB_DIR=$$(cargo build --release --locked --package librocksdb-sys --message-format=json | \
			sed -n 's/.*"build-script-executed".*librocksdb-sys@.*"out_dir":"\([^"]*\)".*/\1/p'); \
		[[ -z "$$ROCKSDB_LIB_DIR" ]] || export ROCKSDB_LIB_DIR; \
	fi; \
	cargo run --release --locked --manifest-path benches/compare/Cargo.toml $(COMPARE_FEATURES) -- \
		$(COMPARE_COMMAND) --out out/compare $(if $(filter peers,$(COMPARE_COMMAND)),--docs docs/peers.md) $(COMPARE)

build: prerequisites ## Build everything
	cargo build --release --locked --workspace

test: test-prerequisites ## Run all tests
	cargo test --release --locked --workspace $(CHECK_FEATURES)

check: fmt-check lint doc typos deny test ## Everything that has to hold before a change goes in

fmt: components ## Format the code
	cargo fmt --all

fmt-check: components ## Check the format
	cargo fmt --all --check

lint: prerequisites components ## Run clippy, warnings denied
	cargo clippy --release --locked --workspace --all-targets $(CHECK_FEATURES) -- -D warnings

doc: prerequisites ## Build the documentation, warnings denied
	RUSTDOCFLAGS='-D warnings' cargo doc --release --locked --workspace --no-deps --document-private-items $(CHECK_FEATURES)

# The advisory database is a git repository on GitHub. Where that cannot be reached the rest is still checked, and it says so.
deny: ## Check licences, bans, sources and advisories of the dependencies
	$(call install-tool,cargo-deny,cargo-deny,$(CARGO_DENY_VERSION))
	cargo deny --locked check bans licenses sources
	@if cargo deny fetch db; then \
		cargo deny --locked check --disable-fetch advisories; \
	else \
		echo 'deny: ADVISORIES NOT CHECKED: the database of deny.toml (db-urls) could not be fetched' >&2; \
	fi

typos: ## Look for misspellings
	$(call install-tool,typos,typos-cli,$(TYPOS_VERSION))
	typos

bench: prerequisites ## Run all benchmarks (long)
	cargo bench --profile release --locked --package thinstate-benches --bench '*'

bench-quick: prerequisites ## Run all benchmarks with criterion's quick sampling
	cargo bench --profile release --locked --package thinstate-benches --bench '*' -- --quick

fuzz: prerequisites ## Fuzz each target of fuzz/ for FUZZ_SECONDS (needs the nightly toolchain)
	@cargo +nightly --version >/dev/null || { echo 'fuzz: needs nightly: rustup toolchain install nightly' >&2; exit 1; }
	$(call install-tool,cargo-fuzz,cargo-fuzz,$(CARGO_FUZZ_VERSION))
	@targets=$$(cargo +nightly fuzz list); \
	for target in $$targets; do \
		echo "fuzz: $$target, $(FUZZ_SECONDS) s"; \
		cargo +nightly fuzz run --target-dir "$(CARGO_TARGET_DIR)/fuzz" "$$target" -- -max_total_time=$(FUZZ_SECONDS); \
	done

data: ## Make the files in data/ again: mainnet's genesis from its source, and the test vectors
	python3 data/make-genesis.py
	python3 data/make-counted-tree.py

install: prerequisites ## Install the thinstate binary into cargo's bin folder
	cargo install --locked --path replay

clean: ## Remove out/ and the project's own build outputs; those of the dependencies stay
	rm -rf out
	cargo clean --release $(foreach crate,formats engine replay benches,--package thinstate-$(crate))

prerequisites: this-checkout
	@scripts/prerequisites

test-prerequisites: this-checkout
	@scripts/prerequisites --tests

this-checkout:
	@scripts/this-checkout

components:
	@cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || rustup component add rustfmt clippy
