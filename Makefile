# dbtrial: every command does its own set-up on a fresh machine and asks nothing.
.DEFAULT_GOAL := help
SHELL := /bin/bash
# What hints print to repeat a command is what was typed.
dbtrial = DBTRIAL_MAKE='make $@ $(subst ','\'',$(MAKEOVERRIDES))' node bin/dbtrial.mjs
# Where make is to fail: a missed objective is a finding, and make would turn it into an error of its own.
faults := answers,invariants
node24 := node bin/node24.mjs
options = $(if $(candidates),--candidates $(candidates)) $(if $(effort),--effort $(effort)) $(if $(seed),--seed $(seed))
run_options = $(options) $(if $(client),--client $(client)) $(if $(provision),--provision $(provision)) $(if $(endpoint),--endpoint '$(endpoint)') $(if $(resume),--resume '$(resume)') $(if $(out),--out '$(out)')

help: ## show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: node_modules/.ready ## install what is missing (Debian packages as root, npm packages)

node_modules/.ready: package.json package-lock.json bin/setup.sh
	@bin/setup.sh
	@touch $@

bench: setup ## measure: scenario=ecommerce [candidates=postgres,mongodb] [effort=smoke|quick|standard|thorough] [seed=N] [client=wire|driver] [provision=container|local|external] [endpoint=NAME=URL] [resume=DIR] [fail_on=answers,invariants]
	@$(dbtrial) run $(or $(scenario),ecommerce) $(run_options) --fail-on $(or $(fail_on),$(faults))

init: setup ## write a scenario to start from, by answers: name=shop [from=ecommerce] [ddl=FILE] [postgres=URL] [mysql_slow_log=FILE ddl=FILE]
	@$(dbtrial) init $(or $(name),$(error give it a name: make init name=shop)) $(if $(from),--from '$(from)') $(if $(ddl),--from-ddl '$(ddl)') $(if $(postgres),--from-postgres '$(postgres)') $(if $(mysql_slow_log),--from-mysql-slow-log '$(mysql_slow_log)')

list: setup ## the runs that there are, newest first: [scenario=ecommerce]
	@$(dbtrial) list $(scenario)

compare: setup ## two results of one scenario; without arguments the last two: [baseline=DIR result=DIR] [scenario=ecommerce] [format=text|md|junit|csv|json]
	@$(dbtrial) compare $(if $(baseline),'$(baseline)' '$(result)',last $(scenario)) $(if $(format),--format $(format))

assess: setup ## verdict, plan and cost of a result, with other wishes: [result=DIR] [peak=5x] [growth=order=8%/month] [horizon=5y] [budget='9000 USD/month'] [weights=latency=2] [assume=plan.hostFactor=0.9] [explain=NUMBER]
	@$(dbtrial) assess '$(or $(result),last)' $(foreach wish,peak growth horizon budget weights assume prices explain,$(if $($(wish)),--$(wish) '$($(wish))')) $(if $(fail_on),--fail-on $(fail_on))

report: setup ## write the report of a result again: [result=DIR] [format=adr|pdf|md|json|csv]
	@$(dbtrial) report '$(or $(result),last)' $(if $(format),--format $(format))

setup-browser: ## install the browser that prints reports, and that tests open them with (Debian's chromium, as root)
	@command -v chromium >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

calibrate: setup ## the harness's own limits on this machine, in a minute
	@$(dbtrial) calibrate $(scenario)

resolution: setup ## how far two equals differ on this machine, one engine entered twice: [scenario=ecommerce] [engine=postgres] [effort=quick]
	@$(dbtrial) resolution $(or $(scenario),ecommerce) $(if $(engine),--engine $(engine)) $(if $(effort),--effort $(effort))

advise: setup ## try on fresh servers what a result gives reason to, indexes missing or unused: [result=DIR] [candidate=postgres] [effort=quick]
	@$(dbtrial) advise $(or $(result),last) $(if $(candidate),--candidate $(candidate)) $(if $(effort),--effort $(effort))

plan: setup ## what a run would do and how long it takes: scenario=ecommerce
	@$(dbtrial) plan $(or $(scenario),ecommerce) $(options)

validate: setup ## check a scenario, or all of them: [scenario=ecommerce]
	@$(dbtrial) validate $(or $(scenario),$(basename $(notdir $(wildcard scenarios/*.yaml))))

models: setup ## the physical model of an engine: scenario=ecommerce engine=cassandra
	@$(dbtrial) models $(or $(scenario),ecommerce) --engine $(or $(engine),postgres)

doctor: setup ## what would run on this machine, and the fix for what would not
	@$(dbtrial) doctor

images: setup ## build the engines' images on this machine, where no image registry is reached
	@docker/engine.sh && docker/offline/build.sh

test: setup ## unit, contract and end-to-end tests, on real servers
	@$(node24) node_modules/vitest/vitest.mjs run --reporter=default --reporter=json --outputFile.json=node_modules/.test-results.json

kills: setup ## end runs by four signals at random moments and count what is left: [count=100] [seed=1]
	@$(node24) test/kills.ts $(or $(count),100) $(or $(seed),1)

lies: setup ## clients that drop, double, reorder or remember, on real servers, and how many are caught: [runs=100] [engines=postgres,mongodb,redis]
	@$(node24) test/differential/lies.ts $(or $(runs),100) $(if $(engines),--engines $(engines))

scenarios: setup ## the whole library at the size of smoke, answers and invariants on real servers: [only=ledger] [engines=postgres,mongodb]
	@$(node24) test/differential/library.ts $(only) $(if $(engines),--engines $(engines))

soak: setup ## random scenarios on real servers, every answer beside the reference: [seeds=1-300] [engines=postgres,mongodb] (reports/soak)
	@$(node24) test/differential/soak.ts $(if $(seeds),--seeds $(seeds)) $(if $(engines),--engines $(engines))

peers: setup ## the wire clients beside native tools, in one run: [only=postgres] (reports/peers.json)
	@bench/peers/setup.sh
	@$(node24) bench/peers.ts $(only)

pooler: setup ## work behind a pooler beside straight connections, at 32 and 512 clients: [rounds=5] [seconds=4]
	@$(node24) bench/pooler.ts $(or $(rounds),5) $(or $(seconds),4)

micro: setup ## what one operation costs the harness itself, beside its goals
	@$(node24) bench/micro.ts

speed: setup ## how long an assessment takes, beside its goals: [beside=CHECKOUT]
	@$(node24) bench/assess.ts $(beside)

loads: setup ## how fast each engine is loaded at quick, in containers: [engines=redis,mongodb] [scenario=ecommerce] [repeats=3]
	@$(node24) bench/loads.ts $(or $(engines),postgres,mongodb,cassandra,redis) $(or $(scenario),ecommerce) $(or $(repeats),1)

check: setup ## types, style, dead code, generated schemas and guide up to date
	@$(node24) node_modules/typescript/bin/tsc --noEmit
	@$(node24) node_modules/@biomejs/biome/bin/biome ci .
	@$(node24) node_modules/knip/bin/knip.js
	@$(dbtrial) schemas && git diff --exit-code -- scenarios/scenario.schema.json scenarios/README.md src/result/result.schema.json
	@$(dbtrial) validate $(basename $(notdir $(wildcard scenarios/*.yaml)))

clean: ## remove installed packages and reports, not the sample
	@rm -rf node_modules && find reports -mindepth 1 -maxdepth 1 ! -name sample -exec rm -rf {} +

.PHONY: help setup setup-browser bench init list compare assess report calibrate resolution advise plan validate models doctor images test kills lies scenarios soak peers pooler micro speed loads check clean
