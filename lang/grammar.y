/* The syntax of policies. Meaning is checked later: here any expression may stand where one may, so that a mistake
 * gets a message about what it means and not about a token. After a mistake the parser goes on at the next
 * statement (parse_resynchronize), so that each is reported once.
 */
%code requires {
#include "lang/parse.h"
}

%code {
#include "lang/syntax_error.h"

/* Symbols on the stack: parentheses are limited before it could fill. */
#undef YYMAXDEPTH
#define YYMAXDEPTH 4000
#undef YYINITDEPTH
#define YYINITDEPTH 200

#define YYLLOC_DEFAULT(current, right, count)                                                      \
    ((current) = (count) ? span_join(YYRHSLOC(right, 1), YYRHSLOC(right, count))                   \
                         : (struct span){parse->source, YYRHSLOC(right, 0).end, YYRHSLOC(right, 0).end})

static int grammar_lex(YYSTYPE *value, struct span *span, struct parse *parse)
{
    struct token token;
    int kind = token_next(parse, &token);
    value->token = token.value;
    *span = token.span;
    return kind;
}

static void grammar_error(struct span *span, struct parse *parse, const char *message)
{
    (void)span;
    (void)message; /* only "memory exhausted" comes here: syntax errors go to yyreport_syntax_error */
    parse_out_of_stack(parse);
}

#define DEFINE_APPEND(kind)                                                                        \
    static struct kind##_list append_##kind(struct kind##_list list, struct kind *node)            \
    {                                                                                              \
        if (!node)                                                                                 \
            return list;                                                                           \
        if (list.last)                                                                             \
            list.last->next = node;                                                                \
        else                                                                                       \
            list.first = node;                                                                     \
        list.last = node;                                                                          \
        return list;                                                                               \
    }

DEFINE_APPEND(statement)
DEFINE_APPEND(item)
DEFINE_APPEND(element)
DEFINE_APPEND(abi_word)
}

%define api.pure full
%define api.prefix {grammar_}
%define api.location.type {struct span}
%define parse.error custom
%define parse.lac full
%locations
%param { struct parse *parse }
%initial-action { @$ = (struct span){parse->source, 0, 0}; }

%union {
    union token_value token;
    struct expression *expression;
    struct element_list elements;
    struct element *element;
    struct item *item;
    struct item_list items;
    struct abi_word_list abis;
    struct action_word action;
    struct statement *statement;
    struct statement_list statements;
}

%token <token> NAME NUMBER STRING ACTION
%token POLICY ABI FOREIGN DEFAULT UNKNOWN INCLUDE CONST GROUP ON RAW PROVE
%token IF RET NEVER ALWAYS AT_MOST PERMIT NR IN
%token <token> OR_ELSE AND_ALSO COMPARISON SHIFT
%token RANGE
%token ASSIGN "="
%token COMMA ","
%token OPEN "("
%token CLOSE ")"
%token OPEN_BRACE "{"
%token CLOSE_BRACE "}"
%token AT "@"

%type <statements> statements
%type <statement> statement
%type <abis> abis
%type <action> action raw_action goal_action
%type <item> target plain_target item
%type <items> items some_items
%type <elements> elements some_elements
%type <element> element
%type <expression> condition_option expression conjunction comparison bits_or bits_xor bits_and shift sum product
%type <expression> unary primary number raw_condition
%type <token> policy_name

%%

file: statements { parse->tree->statements = $1.first; }
    ;

statements: %empty { $$ = (struct statement_list){NULL, NULL}; }
    | statements statement { $$ = append_statement($1, $2); }
    ;

statement:
      POLICY policy_name {
          $$ = make_statement(parse, STATEMENT_POLICY, @$);
          $$->name = $2.text;
          $$->name_span = @2;
          $$->quoted = parse->source->text[@2.begin] == '"';
      }
    | ABI abis { $$ = make_statement(parse, STATEMENT_ABI, @$); $$->abis = $2.first; }
    | FOREIGN action { $$ = make_statement(parse, STATEMENT_FOREIGN, @$); $$->action = $2; }
    | DEFAULT action { $$ = make_statement(parse, STATEMENT_DEFAULT, @$); $$->action = $2; }
    | UNKNOWN action { $$ = make_statement(parse, STATEMENT_UNKNOWN, @$); $$->action = $2; }
    | INCLUDE STRING {
          $$ = make_statement(parse, STATEMENT_INCLUDE, @$);
          $$->name = $2.text;
          $$->name_span = @2;
      }
    | CONST NAME "=" expression {
          $$ = make_statement(parse, STATEMENT_CONST, @$);
          $$->name = $2.text;
          $$->name_span = @2;
          $$->value = $4;
      }
    | CONST NAME "=" "{" elements "}" {
          $$ = make_statement(parse, STATEMENT_CONST, @$);
          $$->name = $2.text;
          $$->name_span = @2;
          $$->elements = $5.first;
          $$->list_span = span_join(@4, @6);
      }
    | GROUP NAME "=" "{" items "}" {
          $$ = make_statement(parse, STATEMENT_GROUP, @$);
          $$->name = $2.text;
          $$->name_span = @2;
          $$->target = make_item(parse, ITEM_LIST, span_join(@4, @6), span_join(@4, @6), NULL);
          $$->target->items = $5.first;
      }
    | ON abis "{" statements "}" {
          $$ = make_statement(parse, STATEMENT_ON, @$);
          $$->name_span = span_join(@1, @2);
          $$->abis = $2.first;
          $$->block = $4.first;
      }
    | action target {
          $$ = make_statement(parse, STATEMENT_RULE, @$);
          $$->action = $1;
          $$->target = $2;
      }
    | RAW raw_action raw_condition {
          $$ = make_statement(parse, STATEMENT_RAW, $3 ? @$ : span_join(@1, @2));
          $$->action = $2;
          $$->value = $3;
      }
    | PROVE NEVER goal_action target {
          $$ = make_statement(parse, STATEMENT_NEVER, @$);
          $$->action = $3;
          $$->target = $4;
      }
    | PROVE ALWAYS goal_action target {
          $$ = make_statement(parse, STATEMENT_ALWAYS, @$);
          $$->action = $3;
          $$->target = $4;
      }
    | PROVE AT_MOST STRING {
          $$ = make_statement(parse, STATEMENT_AT_MOST, @$);
          $$->name = $3.text;
          $$->name_span = @3;
      }
    | error {
          $$ = NULL;
          yyclearin;
          if (!parse_resynchronize(parse))
              YYABORT;
          yyerrok;
      }
    ;

policy_name: NAME | STRING
    ;

abis: NAME { $$ = append_abi_word((struct abi_word_list){NULL, NULL}, make_abi(parse, @1, $1.text)); }
    | abis "," NAME { $$ = append_abi_word($1, make_abi(parse, @3, $3.text)); }
    ;

action: ACTION { $$ = (struct action_word){.span = @$, .info = $1.action}; }
    | ACTION "(" expression ")" { $$ = (struct action_word){.span = @$, .info = $1.action, .data = $3}; }
    ;

raw_action: action
    | RET "(" expression ")" { $$ = (struct action_word){.span = @$, .ret = true, .data = $3}; }
    ;

goal_action: action
    | PERMIT { $$ = (struct action_word){.span = @$, .permit = true}; }
    ;

raw_condition: %empty { $$ = NULL; }
    | IF expression { $$ = $2; }
    ;

/* ---- targets ---- */

target: plain_target condition_option { $$ = $1; $$->span = $2 ? @$ : @1; $$->condition = $2; }
    ;

condition_option: %empty { $$ = NULL; }
    | "(" expression ")" { $$ = $2; }
    ;

plain_target: NAME { $$ = make_item(parse, ITEM_CALL, @$, @1, $1.text); }
    | "@" NAME { $$ = make_item(parse, ITEM_GROUP, @$, @$, $2.text); }
    | NR number { $$ = make_item(parse, ITEM_NUMBERS, @$, @$, NULL); $$->first = $$->last = $2; }
    | NR number RANGE number {
          $$ = make_item(parse, ITEM_NUMBERS, @$, @$, NULL);
          $$->first = $2;
          $$->last = $4;
      }
    | "{" items "}" { $$ = make_item(parse, ITEM_LIST, @$, @$, NULL); $$->items = $2.first; }
    ;

/* A comma may follow the last member of a list. */
items: some_items | some_items ","
    ;

some_items: item { $$ = append_item((struct item_list){NULL, NULL}, $1); }
    | some_items "," item { $$ = append_item($1, $3); }
    ;

item: target
    ;

number: NUMBER { $$ = make_number(parse, @$, $1.number.text, $1.number.value); }
    | '-' NUMBER {
          $$ = make_unary(parse, @$, OPERATOR_NEGATE, make_number(parse, @2, $2.number.text, $2.number.value));
      }
    ;

/* ---- expressions, from the loosest operator to the tightest ---- */

expression: conjunction
    | expression OR_ELSE conjunction { $$ = make_chain(parse, LEVEL_OR_ELSE, $1, OPERATOR_OR_ELSE, @2, $3); }
    ;

conjunction: comparison
    | conjunction AND_ALSO comparison { $$ = make_chain(parse, LEVEL_AND_ALSO, $1, OPERATOR_AND_ALSO, @2, $3); }
    ;

comparison: bits_or
    | bits_or COMPARISON bits_or { $$ = make_compare(parse, $1, $2.operator, @2, $3); }
    | bits_or IN "{" elements "}" { $$ = make_in(parse, @$, $1, $4.first, NULL); }
    | bits_or IN NAME { $$ = make_in(parse, @$, $1, NULL, make_name(parse, @3, $3.text)); }
    ;

elements: some_elements | some_elements ","
    ;

some_elements: element { $$ = append_element((struct element_list){NULL, NULL}, $1); }
    | some_elements "," element { $$ = append_element($1, $3); }
    ;

element: bits_or { $$ = make_element(parse, @$, $1, NULL); }
    | bits_or RANGE bits_or { $$ = make_element(parse, @$, $1, $3); }
    ;

bits_or: bits_xor
    | bits_or '|' bits_xor { $$ = make_chain(parse, LEVEL_OR, $1, OPERATOR_OR, @2, $3); }
    ;

bits_xor: bits_and
    | bits_xor '^' bits_and { $$ = make_chain(parse, LEVEL_XOR, $1, OPERATOR_XOR, @2, $3); }
    ;

bits_and: shift
    | bits_and '&' shift { $$ = make_chain(parse, LEVEL_AND, $1, OPERATOR_AND, @2, $3); }
    ;

shift: sum
    | shift SHIFT sum { $$ = make_chain(parse, LEVEL_SHIFT, $1, $2.operator, @2, $3); }
    ;

sum: product
    | sum '+' product { $$ = make_chain(parse, LEVEL_SUM, $1, OPERATOR_ADD, @2, $3); }
    | sum '-' product { $$ = make_chain(parse, LEVEL_SUM, $1, OPERATOR_SUB, @2, $3); }
    ;

product: unary
    | product '*' unary { $$ = make_chain(parse, LEVEL_PRODUCT, $1, OPERATOR_MUL, @2, $3); }
    | product '/' unary { $$ = make_chain(parse, LEVEL_PRODUCT, $1, OPERATOR_DIV, @2, $3); }
    ;

unary: primary
    | '!' unary { $$ = make_unary(parse, @$, OPERATOR_NOT, $2); }
    | '-' unary { $$ = make_unary(parse, @$, OPERATOR_NEGATE, $2); }
    | '~' unary { $$ = make_unary(parse, @$, OPERATOR_COMPLEMENT, $2); }
    ;

primary: NUMBER { $$ = make_number(parse, @$, $1.number.text, $1.number.value); }
    | NAME { $$ = make_name(parse, @$, $1.text); }
    | NR { $$ = make_name(parse, @$, "nr"); }
    | NAME "(" expression ")" { $$ = make_apply(parse, @$, $1.text, $3); }
    | "(" expression ")" { $$ = make_parenthesized(@$, $2); }
    ;

%%

/* How a message calls what could have stood there. */
static const struct expectation expectations[YYNTOKENS] = {
    [YYSYMBOL_YYEOF] = {EXPECT_END, NULL},
    [YYSYMBOL_NAME] = {EXPECT_NAME, "a name"},
    [YYSYMBOL_NUMBER] = {EXPECT_NUMBER, "a number"},
    [YYSYMBOL_STRING] = {EXPECT_OTHER, "a string in quotes"},
    [YYSYMBOL_ACTION] = {EXPECT_ACTION, "an action"},
    [YYSYMBOL_POLICY] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_ABI] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_FOREIGN] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_DEFAULT] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_UNKNOWN] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_INCLUDE] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_CONST] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_GROUP] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_ON] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_RAW] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_PROVE] = {EXPECT_STATEMENT, NULL},
    [YYSYMBOL_IF] = {EXPECT_OTHER, "`if`"},
    [YYSYMBOL_RET] = {EXPECT_OTHER, "`ret`"},
    [YYSYMBOL_NEVER] = {EXPECT_OTHER, "`never`"},
    [YYSYMBOL_ALWAYS] = {EXPECT_OTHER, "`always`"},
    [YYSYMBOL_AT_MOST] = {EXPECT_OTHER, "`at_most`"},
    [YYSYMBOL_PERMIT] = {EXPECT_OTHER, "`permit`"},
    [YYSYMBOL_NR] = {EXPECT_NR, "`nr`"},
    [YYSYMBOL_IN] = {EXPECT_OPERATOR, NULL},
    [YYSYMBOL_OR_ELSE] = {EXPECT_OPERATOR, NULL},
    [YYSYMBOL_AND_ALSO] = {EXPECT_OPERATOR, NULL},
    [YYSYMBOL_COMPARISON] = {EXPECT_COMPARISON, NULL},
    [YYSYMBOL_SHIFT] = {EXPECT_OPERATOR, NULL},
    [YYSYMBOL_RANGE] = {EXPECT_OTHER, "`..`"},
    [YYSYMBOL_ASSIGN] = {EXPECT_OTHER, "`=`"},
    [YYSYMBOL_COMMA] = {EXPECT_OTHER, "`,`"},
    [YYSYMBOL_OPEN] = {EXPECT_OPEN, "`(`"},
    [YYSYMBOL_CLOSE] = {EXPECT_OTHER, "`)`"},
    [YYSYMBOL_OPEN_BRACE] = {EXPECT_OTHER, "`{`"},
    [YYSYMBOL_CLOSE_BRACE] = {EXPECT_OTHER, "`}`"},
    [YYSYMBOL_AT] = {EXPECT_AT, "`@`"},
};

static int yyreport_syntax_error(const yypcontext_t *context, struct parse *parse)
{
    yysymbol_kind_t expected[YYNTOKENS];
    int count = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    struct syntax_error error = {.parse = parse};
    for (int i = 0; i < count; i++)
        syntax_error_expect(&error, &expectations[expected[i]]);
    syntax_error_report(&error);
    return 0;
}
