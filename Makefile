# The commands of this project. `make` alone lists them.
#
#   STACK=prod    the stack that up, preview, refresh, down and env work on (default: dev)
#   DISCARD=oslo, REMAKE=oslo/EVENTS, DOUBLE=oslo
#                 permit up to lose, recreate or double what it names first (docs/settings.md, docs/book.md)
#   CONFIRM=prod  says that a protected stack is meant (docs/environments.md)
#   ARGS="…"      more options for the Pulumi CLI, or for mocha in unit, integration and e2e

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PULUMI_COMMANDS := up preview refresh down
COMMANDS := plan watch topology preview-report repair upgrade drain forget backup restore unlock contexts snippets prometheus stack deployed-commit

# None is a file.
.PHONY: $(shell sed -n 's/^\([a-z0-9_-]*\):.*/\1/p' $(MAKEFILE_LIST)) $(PULUMI_COMMANDS) $(COMMANDS)

STACK ?= dev
ARGS ?=

BIN := node_modules/.bin
TS := $(BIN)/ts-node --transpile-only
TOOL = node commands/bin.js
SUITES = $(TS) commands/toolchain/suites.ts
ROOMS = $(shell node -p 'require("./rooms.json").map(({ room }) => room).join(" ")')

help: ## list these commands
	@$(TOOL) help --make
	@echo "Working on this project:"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the commands, as `nats-hub-leaf` has them (commands/table.json, docs/commands.md): what their options say can be said
# as variables here: make up STACK=prod CONFIRM=prod. ARGS="…" is for the Pulumi CLI.

$(PULUMI_COMMANDS): node_modules
	@$(TOOL) $@ --stack $(STACK) -- $(ARGS)

$(COMMANDS): node_modules
	@$(TOOL) $@ --stack $(STACK) $(ARGS)

doctor: node_modules
	@$(TOOL) doctor $(if $(FLEET),,--stack $(STACK)) $(ARGS)

check-config: node_modules
	@$(TOOL) check-config $(ARGS) $(FILES)

env: node_modules
	@$(TOOL) env --export --stack $(STACK)

ephemeral: node_modules ## try the settings of a stack of processes: brought up, proven, taken down: make ephemeral STACK=try [FROM=dev]
	@commands/ephemeral/ephemeral.sh $(STACK) $(FROM)

drift: node_modules ## fail when what runs is not what the settings say, or a site's data does not flow
	@$(TOOL) preview --stack $(STACK) -- --expect-no-changes
	@$(TOOL) doctor --stack $(STACK)

comment: ## put preview reports into one comment on a pull request: make comment PR=12 REPORTS=folder (with GitHub's gh)
	@.github/comment.sh $(PR) "$(REPORTS)"

# --- set-up

install: node_modules toolchain ## get the npm packages, the Pulumi CLI and nats-server, each only when missing

# npm ci again only when the lock file is not the one last installed; compared by content, for a checkout changes times.
node_modules:
	@cmp -s package-lock.json node_modules/.package-lock.installed.json || { \
		echo "npm ci" >&2 && \
		npm ci --loglevel=error >&2 && \
		cp package-lock.json node_modules/.package-lock.installed.json; }

toolchain: node_modules
	@$(TS) commands/toolchain/install.ts

test-tools: node_modules ## get what only tests and checks use (nats CLI, prometheus-nats-exporter, actionlint); without them those tests are skipped
	@$(TS) commands/toolchain/test-tools.ts

# --- the gate

check: gates unit ## the gate for people and CI: format, lint, types, workflows, unit tests

# Two at a time: each of them computes on one processor.
gates: node_modules
	@$(MAKE) --jobs=2 lint types format-check workflows

format: node_modules ## put all files in the common form
	@$(BIN)/prettier --write --log-level warn .

format-check: node_modules
	@$(BIN)/prettier --check --log-level warn . || { echo "cure: make format"; exit 1; }

lint: node_modules
	@$(BIN)/eslint --max-warnings 0 .
	@$(BIN)/depcruise --config .dependency-cruiser.mjs --output-type err-long index.ts $(ROOMS)

# tsconfig.json has noCheck for the speed of `pulumi up`; without the option here tsc would see nothing.
types: node_modules
	@$(BIN)/tsc --project . --noCheck false

workflows: node_modules ## check .github/workflows with actionlint
	@actionlint=$$($(TS) commands/toolchain/test-tools.ts actionlint) && \
		if [ -n "$$actionlint" ]; then $$actionlint -shellcheck= -pyflakes=; else echo "not checked: .github/workflows" >&2; fi

unit: node_modules ## unit tests; one of them: make unit ARGS="-g 'two sites with one domain'"
	@$(SUITES) unit -- $(ARGS)

integration: install ## tests against real nats-server processes
	@$(SUITES) integration -- $(ARGS)

e2e: install ## tests with the real Pulumi CLI
	@$(SUITES) e2e -- $(ARGS)

test: install test-tools gates ## everything; the last line is the total
	@$(SUITES) unit integration e2e -- $(ARGS)

bench: install ## measure how long the usual changes take, by number of sites; ARGS=outages: how soon all is at the hub after an outage (ROUNDS=, OUTAGES=); ARGS=faults: what a hub of three survives (ROUNDS=, RATE=, SEED=, MODES=); ARGS=kills: whether an up of many sites that is killed is finished by the next one (KILLS=, SITES=)
ifneq ($(filter outages faults kills,$(ARGS)),)
	@$(BIN)/mocha --exit bench/$(ARGS).ts
else
	@$(TS) bench/run.ts $(ARGS)
	@$(BIN)/mocha bench/answers.ts
endif

soak: install ## 200 random operations on a fleet of three sites, the account book against a count by ids; SOAK_SEED=, SOAK_OPERATIONS=
	@$(BIN)/mocha --exit bench/soak.ts

catalogue: install ## make every mistake of the catalogue on real servers, and write docs/catalogue.md; RECORD=1 also records what is observed, for the unit tests
	@CATALOGUE=write $(SUITES) integration -- -g 'the catalogue of mistakes' $(ARGS)

recordings: install ## record previews of real changes again, and the reports that the tests expect of them; ARGS="site-added"
	@$(TS) test/support/pages/record-previews.ts $(ARGS)
	@REPORTS=write $(SUITES) unit -- -g 'the report on a recorded preview'

docs: node_modules ## write the pages of docs/ that are made from the code
	@$(TS) commands/docs/docs.ts

clean: ## remove installed packages and reports; never the stack's state (that is `make down`)
	rm -rf node_modules coverage *.tsbuildinfo
