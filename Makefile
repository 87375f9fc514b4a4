# The commands of this project. `make` alone lists them.
#
#   STACK=prod    the stack that up, preview, refresh, down and env work on (default: dev)
#   DISCARD=oslo, REMAKE=oslo/EVENTS, DOUBLE=oslo
#                 permit up to lose, make anew or double what it names first (docs/settings.md, docs/book.md)
#   CONFIRM=prod  says that a protected stack is meant (docs/environments.md)
#   ARGS="…"      more options for the Pulumi CLI, or for mocha in unit, integration and e2e

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# None is a file.
.PHONY: $(shell sed -n 's/^\([a-z0-9_-]*\):.*/\1/p' $(MAKEFILE_LIST))

STACK ?= dev
ARGS ?=

BIN := node_modules/.bin
TS := $(BIN)/ts-node --transpile-only
STACK_TOOL = $(TS) commands/stack.ts
SUITES = $(TS) toolchain/suites.ts
ROOMS = $(shell node -p 'require("./rooms.json").map(({ room }) => room).join(" ")')

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- the stack

stack: node_modules ## make a new environment: make stack STACK=qa [FROM=staging] [STATE=s3://…] [SECRETS_PROVIDER=awskms://…]
	@$(STACK_TOOL) stack $(STACK)

up: node_modules ## create or update the servers, prove that every site's data arrives, print the proof [DISCARD=… REMAKE=… DOUBLE=…]
	@$(STACK_TOOL) up $(STACK) $(ARGS)

preview: node_modules ## show what `make up` would do; refuses what can be refused
	@$(STACK_TOOL) preview $(STACK) $(ARGS)

preview-report: node_modules ## the same as Markdown for a pull request: make preview-report [OUT=report.md] (ARGS=--json, ARGS=--plan: intent alone)
	@node commands/bin.js preview-report --stack $(STACK) $(if $(OUT),--out "$(OUT)") $(ARGS)

plan: node_modules ## show what the settings intend, from the project's files alone (no Pulumi CLI, server or state); ARGS=--json
	@$(TS) commands/plan.ts $(STACK) $(ARGS)

topology: node_modules ## draw the fleet with the last proof of each site: topology.<stack>.html, .svg and .mmd (OUT=folder, ARGS=--plan)
	@$(TS) commands/topology.ts $(STACK) $(if $(OUT),--out "$(OUT)") $(ARGS)

check-config: node_modules ## judge hand-written nats-server files, deploying nothing: make check-config FILES="hub.conf leaf.conf" (ARGS=--json)
	@node commands/bin.js check-config $(ARGS) $(FILES)

refresh: node_modules ## compare the state with what runs
	@$(STACK_TOOL) refresh $(STACK) $(ARGS)

down: node_modules ## remove everything that `make up` made (DISCARD=… is passed on to the guard of collected data; CONFIRM=… if protected)
	@$(STACK_TOOL) down $(STACK) $(ARGS)

upgrade: node_modules ## after another docker.image: replace one container after the other, each proven before the next
	@$(STACK_TOOL) upgrade $(STACK)

forget: node_modules ## drop a site whose machine is lost for good: make forget SITE=oslo DISCARD=oslo
	@$(STACK_TOOL) forget $(STACK) $(SITE)

doctor: node_modules ## look at the running fleet, changing nothing: make doctor [SITE=oslo] [FLEET=fleet.yaml] [ARGS=--json]
	@node commands/bin.js doctor $(if $(FLEET),--fleet $(FLEET),--stack $(STACK)) $(if $(SITE),--site $(SITE)) $(ARGS)

repair: node_modules ## start a stuck source anew, move on a site that lost messages: make repair SITE=oslo [STREAM=EVENTS] [ACCEPT=…] [NOTE=…]
	@$(STACK_TOOL) repair $(STACK) "$(SITE)" "$(STREAM)"

# --- outputs that people use next

contexts: node_modules ## write contexts of the nats CLI for hub and sites: nats --context dev-oslo … [PREFIX=…] [REMOVE=1]
	@PREFIX="$(PREFIX)" REMOVE="$(REMOVE)" $(TS) commands/outputs.ts contexts $(STACK)

snippets: node_modules ## print how an application connects, in TypeScript, in Go and with the nats CLI [SITE=oslo]
	@SITE="$(SITE)" $(TS) commands/outputs.ts snippets $(STACK)

prometheus: node_modules ## write prometheus.yml and alert rules for the fleet [TO=folder] [EXPORTER_PORT=7777]
	@TO="$(TO)" EXPORTER_PORT="$(EXPORTER_PORT)" $(TS) commands/outputs.ts prometheus $(STACK)

unlock: node_modules ## clear what an interrupted run left behind, unless that run is still alive
	@$(STACK_TOOL) unlock $(STACK)

env: node_modules ## print the line that readies a shell for plain `npx pulumi …`: eval "$(make -s env)"
	@$(STACK_TOOL) env $(STACK)

ephemeral: node_modules ## try the settings of a stack of processes: brought up, proven, taken down: make ephemeral STACK=try [FROM=dev]
	@commands/ephemeral.sh $(STACK) $(FROM)

drift: node_modules ## fail when what runs is not what the settings say, or a site's data does not flow
	@$(STACK_TOOL) preview $(STACK) --expect-no-changes
	@node commands/bin.js doctor --stack $(STACK)

deployed-commit: node_modules ## print the commit from which the stack was last deployed
	@$(TS) commands/deployed-commit.ts $(STACK)

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
	@$(TS) toolchain/install.ts

test-tools: node_modules ## get what only tests and checks use (nats CLI, prometheus-nats-exporter, actionlint); without them those tests are skipped
	@$(TS) toolchain/test-tools.ts

# --- the gate

check: format-check lint types workflows unit ## the gate for people and CI: format, lint, types, workflows, unit tests

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
	@actionlint=$$($(TS) toolchain/test-tools.ts actionlint) && \
		if [ -n "$$actionlint" ]; then $$actionlint -shellcheck= -pyflakes=; else echo "not checked: .github/workflows" >&2; fi

unit: node_modules ## unit tests; one of them: make unit ARGS="-g 'two sites with one domain'"
	@$(SUITES) unit -- $(ARGS)

integration: install ## tests against real nats-server processes
	@$(SUITES) integration -- $(ARGS)

e2e: install ## tests with the real Pulumi CLI
	@$(SUITES) e2e -- $(ARGS)

test: install test-tools format-check lint types workflows ## everything; the last line is the total
	@$(SUITES) unit integration e2e -- $(ARGS)

bench: install ## measure how long the usual changes take, by number of sites
	@$(TS) bench/run.ts $(ARGS)
	@$(BIN)/mocha bench/answers.ts

soak: install ## 200 random operations on a fleet of three sites, the account book against a count by ids; SOAK_SEED=, SOAK_OPERATIONS=
	@$(BIN)/mocha --exit bench/soak.ts

catalogue: install ## make every mistake of the catalogue on real servers, and write docs/catalogue.md
	@CATALOGUE=write $(SUITES) integration -- -g 'the catalogue of mistakes' $(ARGS)

recordings: install ## record previews of real changes anew, and the reports that the tests expect of them; ARGS="site-added"
	@$(TS) test/support/record-previews.ts $(ARGS)
	@REPORTS=write $(SUITES) unit -- -g 'the report on a recorded preview'

docs: node_modules ## write the pages of docs/ that are made from the code
	@$(TS) commands/docs/docs.ts

clean: ## remove installed packages and reports; never the stack's state (that is `make down`)
	rm -rf node_modules coverage *.tsbuildinfo
