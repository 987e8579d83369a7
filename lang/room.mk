# The scanner and the parser. What flex and bison write is not held to our warnings about style.
GENERATED += $(BUILD)/gen/lang_lexer.c $(BUILD)/gen/lang_grammar.c
GENERATED_HEADERS += $(BUILD)/gen/lang_grammar.h
GENERATED_CFLAGS += -Wno-sign-compare -Wno-unused-function -Wno-unused-but-set-variable -Wno-cast-qual \
                    -Wno-missing-prototypes

FLEX ?= flex
BISON ?= bison

$(BUILD)/gen/lang_lexer.c: lang/lexer.l
	$(call say,FLEX,$<)
	$(Q)mkdir -p $(@D) && $(FLEX) -o $@ $<

$(BUILD)/gen/lang_grammar.c: lang/grammar.y
	$(call say,BISON,$<)
	$(Q)mkdir -p $(@D) && $(BISON) -Werror --no-lines -o $@ --defines=$(BUILD)/gen/lang_grammar.h $<

$(BUILD)/gen/lang_grammar.h: $(BUILD)/gen/lang_grammar.c
