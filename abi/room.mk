# The tables of abi/data, as constant C.
GENERATED += $(BUILD)/gen/abi_tables.c

$(BUILD)/gen/abi_tables.c: abi/generate.py $(wildcard abi/data/*.tsv)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && $(PYTHON) abi/generate.py abi/data $@
