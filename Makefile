# Every target is one of make.py, for machines without make: `python3 make.py <target>`.
PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help setup run manage test test-all check fmt bench lock
help setup run manage test test-all check fmt bench lock:
	@$(PYTHON) make.py $@ $(ARGS)
