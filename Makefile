# Every target does its own set-up in .venv, touches nothing outside the repository, and is quick the second time.
# ARGS goes to the command underneath: `make demo ARGS="--port 8000"`, `make test ARGS="-k checkpoint -x"`.

VENV := .venv
PY := $(VENV)/bin/python
ARGS ?=

# Training: `make train DATA=/path/to/MURA-v1.1`, or DATA=/path/to/fracatlas FORMAT=fracatlas.
FORMAT ?= mura
# Processes that share a step. On a CPU, OMP_NUM_THREADS=1 and one process for each core.
DEVICES ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test check train bench load fuzz space clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

demo: $(VENV)/.runtime ## start the page on this machine and print its address
	$(PY) app.py $(ARGS)

test: $(VENV)/.dev ## run every test, warnings as errors
	$(PY) -m pytest $(ARGS)

check: $(VENV)/.dev ## format, lint, types, import directions, documentation, known vulnerabilities
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest tests/test_imports.py tests/test_docs.py
	$(PY) -m tests.audit

train: $(VENV)/.dev ## train on DATA with the recipe's defaults; FORMAT=fracatlas takes the steps of the released weights
	@test -n "$(DATA)" || { echo 'Say where the data is: make train DATA=/path/to/MURA-v1.1' >&2; exit 2; }
ifeq ($(FORMAT),fracatlas)
	test -f runs/source/source.safetensors || \
	  $(PY) -m mura_core pretrain --data "$(DATA)" --format fracatlas --focus 1 --devices $(DEVICES) --out runs/source \
	    --augmentation mild
	$(PY) -m mura_core train --data "$(DATA)" --format fracatlas --devices $(DEVICES) --out runs/release \
	  --init runs/source/source.safetensors --focus 1 --transfer-epochs 3 --fine-tune-epochs 10 --fine-tune-rate 3e-4 \
	  --class-weights none --normals-per-abnormal 2 --box-weight 1 --patience 0 --augmentation mild
	$(PY) -m mura_core train --data "$(DATA)" --format fracatlas --devices $(DEVICES) --out runs/robust --seed 2 \
	  --init runs/release/weights --focus 1 --transfer-epochs 1 --fine-tune-epochs 8 --fine-tune-rate 2e-4 --averaging 0.98 \
	  --class-weights none --normals-per-abnormal 2 --box-weight 1 --patience 0 $(ARGS)
else
	$(PY) -m mura_core train --data "$(DATA)" --format $(FORMAT) $(ARGS)
endif

bench: $(VENV)/.dev ## measure the speed figures of the README on this machine and write them there
	$(PY) -m benchmarks.speed $(ARGS)
	$(PY) -m benchmarks.figures

space: $(PY) ## put together in build/space what a Hugging Face Space of the page needs
	$(PY) -m deploy.space $(ARGS)

fuzz: $(VENV)/.dev ## try 10,000 hostile and damaged files on the reader, and write down what came of them
	$(PY) -m benchmarks.fuzz $(ARGS)

load: $(VENV)/.dev ## let 50 and 200 readers come at once, and write what came of it into the README; ARGS="--soak 60"
	$(PY) -m benchmarks.load $(ARGS)
	$(PY) -m benchmarks.figures

clean: ## remove the environment and the caches, keep data, runs and weights
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find app.py mura_core demo deploy tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# A Python is tried by running it: a name on the path may be a stub that only complains.
# Debian's python3 without python3-venv has no ensurepip; its pip can still fill the environment from outside.
$(PY):
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  "$$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  echo "Setting up $(VENV) with $$("$$python" --version); the first time downloads several GB."; \
	  "$$python" -c 'import ensurepip' 2>/dev/null && exec "$$python" -m venv --clear $(VENV); \
	  "$$python" -m venv --clear --without-pip $(VENV) && \
	    exec "$$python" -m pip --python $(PY) install --quiet pip; \
	  exit 1; \
	done; \
	echo "Python 3.11 or newer with its venv module is needed; found: $$(python3 --version 2>&1 || echo none)." >&2; \
	echo "Install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	exit 1

# The stamps are written last, so an interrupted installation is taken up again.
# What they bring along is pinned too: constraints.txt, written by `python -m tests.constraints`.
$(VENV)/.runtime: requirements.txt constraints.txt | $(PY)
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(VENV)/.dev: requirements.txt constraints.txt pyproject.toml | $(PY)
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt -c constraints.txt -e '.[train,batch,ray,dev]'
	@touch $(VENV)/.runtime $@
