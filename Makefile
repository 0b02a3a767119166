# Targets for developers. Targets that need other programs or R packages install missing ones first
# (tools/setup.sh). The package of this checkout is installed into build/library only.

LIBRARY := build/library
export R_LIBS := $(CURDIR)/.library$(addprefix :,$(R_LIBS))
WITH_PACKAGE = R_LIBS="$(CURDIR)/$(LIBRARY):$$R_LIBS"

.PHONY: help demo test check lint core compilers cross fuzz sanitize valgrind trust bench readme site install \
    document format release-check clean

help:
	@echo "make demo      finds the neighbors of 32,436 ocean profiles: a table, a map, the times"
	@echo "make test      the C checks and the R tests"
	@echo "make core      the C checks alone, under sanitizers"
	@echo "make cross     the C checks on other processors: ARCH=\"armhf i686 i686-sse2 s390x\""
	@echo "make check     R CMD check --as-cran; compares man/ and NAMESPACE with the comments in R/"
	@echo "make lint      the rules of tools/lint.sh: layers, sizes, headers, words, format, documents"
	@echo "make compilers compares the results of gcc and clang, with and without OpenMP, -O0 to -O3"
	@echo "make fuzz      fuzzing of the core and of saved trees for a minute; SECONDS=600 for longer"
	@echo "make sanitize  the R tests under the address and undefined behavior sanitizers"
	@echo "make valgrind  runs every function once under valgrind"
	@echo "make trust     writes inst/trust.md from the last results of all checks"
	@echo "make bench     all benchmarks, with the other packages that are installed (half an hour);"
	@echo "               WORKLOADS=summary SECONDS=30: only the workloads of README.md (8 minutes)"
	@echo "make readme    writes all figures of README.md, from the demo and the last benchmarks"
	@echo "make site      writes the web site to build/site, by pkgdown"
	@echo "make document  writes man/ and NAMESPACE from the comments in R/"
	@echo "make format    formats the C files with clang-format"
	@echo "make release-check  checks the version, NEWS.md and the address of the maintainer"
	@echo "make clean     removes the files that these targets made"

demo:
	@sh tools/setup.sh demo
	@$(MAKE) --no-print-directory install
	@$(WITH_PACKAGE) Rscript tools/demo.R

test:
	@sh tools/setup.sh test
	@$(MAKE) --no-print-directory install
	@$(WITH_PACKAGE) Rscript tools/test.R

check:
	@sh tools/setup.sh check
	@sh tools/check.sh

lint:
	@sh tools/lint.sh

core:
	@$(MAKE) --no-print-directory -C tests/core

compilers:
	@sh tools/setup.sh compilers
	@sh tools/compilers.sh

fuzz:
	@sh tools/setup.sh fuzz
	@$(MAKE) --no-print-directory install
	@$(WITH_PACKAGE) sh tools/fuzz.sh $(SECONDS)

sanitize:
	@sh tools/setup.sh sanitize
	@sh tools/sanitize.sh $(ONLY)

valgrind:
	@sh tools/setup.sh valgrind
	@$(MAKE) --no-print-directory install
	@$(WITH_PACKAGE) sh tools/valgrind.sh

trust:
	@Rscript tools/trust.R

cross:
	@sh tools/cross.sh $(ARCH)

bench: install
	@mkdir -p inst/benchmarks/results
	@$(WITH_PACKAGE) SECONDS=$(SECONDS) SCALE=$(SCALE) Rscript tools/bench.R inst/benchmarks/results $(WORKLOADS)

readme: demo
	@$(WITH_PACKAGE) Rscript tools/bench.R inst/benchmarks/results none >build/tables.log || \
	    { cat build/tables.log; exit 1; }
	@$(WITH_PACKAGE) Rscript tools/readme.R

site:
	@sh tools/setup.sh site
	@$(MAKE) --no-print-directory install
	@$(WITH_PACKAGE) Rscript tools/site.R

# Installs from a tarball, so that no object file is written to src/ or taken from there.
install:
	@mkdir -p $(LIBRARY)
	@echo "install: covertree into $(LIBRARY)"
	@(rm -f build/covertree_*.tar.gz && cd build && R CMD build --no-build-vignettes .. && \
	    R CMD INSTALL --library=library covertree_*.tar.gz) >build/install.log 2>&1 || \
	    { cat build/install.log; exit 1; }

document:
	@sh tools/setup.sh check
	@Rscript -e 'roxygen2::roxygenise(roclets = c("namespace", "rd"))'
	@rm -f src/*.o src/*/*.o src/*/*/*.o src/*.so

format:
	clang-format -i src/*.c src/*/*.[ch] src/core/*/*.[ch] tests/core/*.c tests/core/*/*.[ch]

release-check:
	@Rscript tools/release_check.R .

clean:
	rm -rf build pkgdown argo-neighbors.csv argo-neighbors.png covertree_*.tar.gz
	-$(MAKE) --no-print-directory -C tests/core clean
	rm -f src/*.o src/*/*.o src/*/*/*.o src/*.so
