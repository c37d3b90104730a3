/** Options that clang takes for BPF and that change nothing here. */

const flags =
  "-fno-ident -fident -fno-asynchronous-unwind-tables -fasynchronous-unwind-tables " +
  "-momit-leaf-frame-pointer -mno-omit-leaf-frame-pointer -fno-addrsig -faddrsig " +
  "-fno-sanitize=all -mno-red-zone -malign-double -mno-sse -mno-mmx -mno-sse2 -mno-avx -mno-80387 -m64 " +
  "-mkernel -msoft-float -pthread -static -pedantic-errors -trigraphs -C -dD -H -save-temps " +
  "-Qunused-arguments -Qn -Qy -dI -no-pedantic -nobuiltininc -nodefaultlibs -nolibc " +
  "-nostartfiles -nostdinc++ -no-pie -pie -static-pie -static-libgcc -rdynamic -no-pthread " +
  "-no-canonical-prefixes -relocatable-pch -m16 -m32 -mx32 -mms-bitfields -mno-ms-bitfields " +
  "-mstackrealign -mno-stackrealign -mred-zone -mrtd -mno-rtd -mno-stack-arg-probe " +
  "-mglobal-merge -mno-global-merge -mrelax -mno-relax -mrelax-all -mno-relax-all " +
  "-mexecute-only -mno-execute-only -mno-outline -moutline -mno-implicit-float " +
  "-mimplicit-float -mspeculative-load-hardening -mno-speculative-load-hardening -mglibc " +
  "-muclibc -mretpoline --ansi --pedantic --pedantic-errors --no-pedantic --pipe --static " +
  "--shared --trigraphs --save-temps --no-default-config --no-wasm-opt " +
  "--start-no-unused-arguments --end-no-unused-arguments";

/** The same with a value in the word. */
const joined =
  /^-(?:fno-builtin-|save-temps=|resource-dir=|R(?:pass|no-pass)|Wl,|Wa,|m(?:fpmath|regparm|stack-alignment|stack-probe-size|linker-version|function-return|recip|macosx-version-min)=|std(?:lib)?=|rtlib=|specs=|-(?:sysroot|driver-mode|gcc-toolchain|gcc-install-dir|rtlib|stdlib|unwindlib|ld-path|save-temps|config-(?:system|user)-dir|system-header-prefix|no-system-header-prefix)=)/;

/** The same with the value in the next word. */
const separate =
  "-isysroot -resource-dir -iwithprefix -iwithprefixbefore -iprefix -iwithsysroot " +
  "-Xlinker -Xassembler -Xanalyzer -dumpdir -serialize-diagnostics --param -rpath";

/** `-fNAME` and `-fno-NAME` of clang's that mean nothing for C on BPF, and gcc's that clang takes. */
const features =
  "aggressive-function-elimination align-commons align-functions align-jumps align-labels align-loops " +
  "ansi-escape-codes approx-func asm associative-math assumptions autolink backtrace blocks " +
  "bounds-check branch-count-reg builtin caller-saves caret-diagnostics " +
  "cf-protection char8_t check-new common crash-diagnostics cx-limited-range " +
  "cx-fortran-rules data-sections debug-info-for-profiling debug-macro debug-types-section " +
  "default-inline delete-null-pointer-checks devirtualize diagnostics-absolute-paths " +
  "diagnostics-color diagnostics-fixit-info diagnostics-parseable-fixits " +
  "diagnostics-print-source-range-info diagnostics-show-hotness " +
  "diagnostics-show-line-numbers diagnostics-show-note-include-stack diagnostics-show-option " +
  "diagnostics-show-template-tree digraphs direct-access-external-data directives-only " +
  "discard-value-names dollars-in-identifiers double-square-bracket-attributes " +
  "dwarf2-cfi-asm elide-constructors elide-type eliminate-unused-debug-symbols " +
  "eliminate-unused-debug-types emit-all-decls exceptions expensive-optimizations extended-identifiers " +
  "fast-math finite-loops finite-math-only fixed-point float-store " +
  "friend-injection function-sections gcse gcse-after-reload gcse-las gcse-sm gnu-inline-asm " +
  "gnu-keywords gnu89-inline honor-infinities honor-nans implement-inlines implicit-templates " +
  "inline inline-functions inline-functions-called-once inline-hint-functions inline-small-functions " +
  "integrated-as integrated-cc1 ipa-cp ivopts jump-tables keep-inline-functions keep-static-consts " +
  "lax-vector-conversions lto math-errno merge-all-constants merge-constants modulo-sched " +
  "modulo-sched-allow-regmoves ms-compatibility ms-volatile non-call-exceptions omit-frame-pointer " +
  "openmp openmp-simd optimize-sibling-calls parse-all-comments pascal-strings pch-preprocess " +
  "peel-loops permissive PIC pic PIE pie plt prefetch-loop-arrays profile-correction protect-parens " +
  "reciprocal-math record-command-line record-gcc-switches rename-registers reorder-blocks " +
  "ripa-optimistic-allocation rounding-math rtti schedule-insns schedule-insns2 see " +
  "semantic-interposition separate-named-sections show-column show-skipped-includes " +
  "show-source-location signaling-nans signed-bitfields signed-zeros single-precision-constant " +
  "slp-vectorize spec-constr-count spell-checking split-dwarf-inlining split-lto-unit " +
  "split-machine-functions split-stack stack-check stack-clash-protection stack-protector " +
  "stack-protector-all stack-protector-strong stack-size-section stack-usage standalone-debug " +
  "strength-reduce strict-enums strict-flex-arrays strict-float-cast-overflow strict-overflow " +
  "strict-return strict-vtable-pointers struct-path-tbaa syntax-only temp-file threadsafe-statics time-report " +
  "time-trace tracer trapping-math trapv tree-dce tree-salias tree-slp-vectorize tree-ter " +
  "tree-vectorize tree-vectorizer-verbose tree-vrp trigraphs unique-internal-linkage-names " +
  "unique-section-names unroll-all-loops unroll-loops unsafe-loop-optimizations " +
  "unsafe-math-optimizations unswitch-loops unwind-tables use-cxa-atexit use-init-array " +
  "use-line-directives use-linker-plugin variable-expansion-in-unroller vect-cost-model vectorize " +
  "verbose-asm visibility-inlines-hidden web whole-program wrapv zero-initialized-in-bss";

/** `-fNAME=VALUE` of the same kind. */
const valued =
  "align-functions align-loops bracket-depth caret-diagnostics-max-lines cf-protection clang-abi-compat " +
  "comment-block-commands constexpr-backtrace-limit constexpr-depth constexpr-steps " +
  "crash-diagnostics-dir crash-diagnostics debug-compilation-dir denormal-fp-math depfile-entry " +
  "diagnostics-hotness-threshold diagnostics-show-category exec-charset excess-precision fp-contract " +
  "fp-eval-method fp-exception-behavior fp-model gnuc-version inline-limit inline-max-stacksize " +
  "input-charset lax-vector-conversions lto lto-jobs macro-backtrace-limit max-errors max-tokens " +
  "max-type-align message-length ms-compatibility-version optimization-record-file save-optimization-record " +
  "spell-checking-limit strict-flex-arrays tabstop template-backtrace-limit template-depth time-report " +
  "time-trace time-trace-granularity tls-model trap-function use-ld veclib visibility zero-call-used-regs";

/** The lists stay text: most command lines have nothing that is looked up in them. */
function isOneOf(word: string, list: string): boolean {
  return ` ${list} `.includes(` ${word} `);
}

function isFeature(word: string): boolean {
  const [, name = "", value] = /^-f(?:no-)?([^=]+)(=.*)?$/.exec(word) ?? [];
  return isOneOf(name, value === undefined ? features : valued);
}

/** What only a linker or a CPU of the host would use. */
const unused = /^-(?:l.+|L.+|shared|time|mtune=.*)$/;

/** What clang refuses for this target in these words. */
const unsupported = /^-(?:march=|fsanitize=[\w,-]+)/;

/** How many words an option without effect takes; 0 where it is none. */
export function acceptedWords(word: string): number {
  if (isOneOf(word, separate)) return 2;
  const isTaken = isOneOf(word, flags) || joined.test(word) || unused.test(word) || isFeature(word);
  return isTaken ? 1 : 0;
}

/** Why an option that has no row is refused. */
export function refusal(word: string): string {
  const option = unsupported.exec(word)?.[0];
  return option === undefined
    ? `unknown argument: '${word}'`
    : `unsupported option '${option}' for target 'bpf'`;
}
