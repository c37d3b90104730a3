/**
 * `__attribute__((…))`: one table row per attribute that means something to us, and the names of
 * those that may be passed over in silence.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Attribute, Expression, TypeName } from "../2-parse/ast.ts";
import type { SymbolAttributes } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, report } from "./context.ts";
import { alignOf } from "./layout.ts";
import { isError } from "./type-tools.ts";

export interface ParsedAttributes {
  section: string | undefined;
  weak: boolean;
  hidden: boolean;
  used: boolean;
  unused: boolean;
  packed: boolean;
  alwaysInline: boolean;
  /** `inline` has the meaning that it had before C99: `extern inline` defines nothing. */
  gnuInline: boolean;
  noInline: boolean;
  naked: boolean;
  noreturn: boolean;
  warnUnusedResult: boolean;
  preserveAccessIndex: boolean;
  mayAlias: boolean;
  transparentUnion: boolean;
  /** In bytes. */
  align: number | undefined;
  addressSpace: number | undefined;
  errorMessage: string | undefined;
  cleanup: { readonly name: string; readonly span: Span } | undefined;
  mode: { readonly name: string; readonly span: Span } | undefined;
  vectorSize: Span | undefined;
  typeTags: string[];
  declTags: string[];
}

type Handler = (context: Context, attribute: Attribute, into: ParsedAttributes) => void;

/** The largest alignment that `aligned` without a number means. */
const biggestAlignment = 16;

function text(argument: Expression | TypeName | undefined): string | undefined {
  if (argument?.kind === "string") return new TextDecoder().decode(argument.bytes);
  return undefined;
}

function needString(context: Context, attribute: Attribute): string | undefined {
  const found = text(attribute.args[0]);
  if (found === undefined) {
    report(context, "attributeArguments", attribute.span, [attribute.name, "a string"]);
  }
  return found;
}

function needInteger(context: Context, attribute: Attribute): number | undefined {
  const [argument] = attribute.args;
  if (argument === undefined || argument.kind === "type_name") {
    report(context, "attributeArguments", attribute.span, [attribute.name, "an integer constant"]);
    return undefined;
  }
  const checked = context.recurse.expression(context, argument);
  if (isError(checked.type)) return undefined;
  const value = evaluateInteger(checked, { constants: context.constants });
  if (value === undefined) {
    report(context, "attributeArguments", argument.span, [attribute.name, "an integer constant"]);
    return undefined;
  }
  return Number(value.value);
}

function identifier(attribute: Attribute): { name: string; span: Span } | undefined {
  const [argument] = attribute.args;
  if (argument?.kind === "identifier") return { name: argument.name, span: argument.span };
  if (argument?.kind === "type_name") {
    const { type } = argument.specifiers;
    if (type.kind === "typedef_name") return { name: type.name, span: type.span };
  }
  return undefined;
}

function applyAligned(context: Context, attribute: Attribute, into: ParsedAttributes): void {
  const [argument] = attribute.args;
  let value: number | undefined = biggestAlignment;
  if (argument?.kind === "type_name") value = alignOf(context.recurse.typeName(context, argument));
  else if (argument !== undefined) value = needInteger(context, attribute);
  if (value === undefined) return;
  if (value <= 0 || (value & (value - 1)) !== 0) {
    report(context, "alignmentPower", attribute.span);
    return;
  }
  into.align = Math.max(into.align ?? 0, value);
}

const handlers: Readonly<Record<string, Handler>> = {
  section: (context, attribute, into) => {
    into.section = needString(context, attribute) ?? into.section;
  },
  weak: (_, __, into) => {
    into.weak = true;
  },
  used: (_, __, into) => {
    into.used = true;
  },
  retain: (_, __, into) => {
    into.used = true;
  },
  unused: (_, __, into) => {
    into.unused = true;
  },
  maybe_unused: (_, __, into) => {
    into.unused = true;
  },
  visibility: (context, attribute, into) => {
    const kind = needString(context, attribute);
    into.hidden = kind === "hidden" || kind === "internal";
  },
  packed: (_, __, into) => {
    into.packed = true;
  },
  aligned: applyAligned,
  gnu_inline: (_, __, into) => {
    into.gnuInline = true;
  },
  always_inline: (_, __, into) => {
    into.alwaysInline = true;
  },
  noinline: (_, __, into) => {
    into.noInline = true;
  },
  optnone: (_, __, into) => {
    into.noInline = true;
  },
  naked: (_, __, into) => {
    into.naked = true;
  },
  noreturn: (_, __, into) => {
    into.noreturn = true;
  },
  error: (context, attribute, into) => {
    into.errorMessage = needString(context, attribute);
  },
  warn_unused_result: (_, __, into) => {
    into.warnUnusedResult = true;
  },
  nodiscard: (_, __, into) => {
    into.warnUnusedResult = true;
  },
  preserve_access_index: (_, __, into) => {
    into.preserveAccessIndex = true;
  },
  may_alias: (_, __, into) => {
    into.mayAlias = true;
  },
  preserve_static_offset: () => {},
  transparent_union: (_, __, into) => {
    into.transparentUnion = true;
  },
  address_space: (context, attribute, into) => {
    into.addressSpace = needInteger(context, attribute);
  },
  btf_type_tag: (context, attribute, into) => {
    const tag = needString(context, attribute);
    if (tag !== undefined) into.typeTags.push(tag);
  },
  btf_decl_tag: (context, attribute, into) => {
    const tag = needString(context, attribute);
    if (tag !== undefined) into.declTags.push(tag);
  },
  cleanup: (context, attribute, into) => {
    into.cleanup = identifier(attribute);
    if (into.cleanup === undefined) {
      report(context, "attributeArguments", attribute.span, ["cleanup", "a function name"]);
    }
  },
  mode: (_, attribute, into) => {
    into.mode = identifier(attribute);
  },
  vector_size: (_, attribute, into) => {
    into.vectorSize = attribute.span;
  },
  ext_vector_type: (_, attribute, into) => {
    into.vectorSize = attribute.span;
  },
};

/** Attributes without an effect on BPF code. */
const ignored: ReadonlySet<string> = new Set(
  (
    "alias alloc_size artificial assume_aligned availability btf_decl_tag cdecl cold common const " +
    "const_function convergent counted_by deprecated designated_init diagnose_if disable_tail_calls " +
    "enable_if enum_extensibility externally_visible fallthrough flag_enum flatten format format_arg " +
    "hot ifunc internal_linkage leaf likely malloc minsize model ms_struct " +
    "musttail no_builtin no_caller_saved_registers no_instrument_function no_profile " +
    "no_profile_instrument_function no_reorder no_sanitize no_sanitize_address " +
    "no_sanitize_undefined no_split_stack no_stack_protector noclone nocommon noderef noescape " +
    "noinline_for_stack noipa nomerge nonnull nonstring nothrow noundef objc_root_class optimize " +
    "overloadable pass_object_size patchable_function_entry pure randomize_layout regparm " +
    "require_constant_initialization returns_nonnull returns_twice sentinel simd sized_by stdcall " +
    "suppress target tls_model type_visibility unlikely uninitialized unsafe_buffer_usage vectorcall " +
    "visibility_default warning weakref zero_call_used_regs disable_sanitizer_instrumentation " +
    "gcc_struct no_icf no_thread_safety_analysis access null_terminated_string_arg fd_arg"
  ).split(" "),
);

export function noAttributes(): ParsedAttributes {
  return {
    section: undefined,
    weak: false,
    hidden: false,
    used: false,
    unused: false,
    packed: false,
    alwaysInline: false,
    gnuInline: false,
    noInline: false,
    naked: false,
    noreturn: false,
    warnUnusedResult: false,
    preserveAccessIndex: false,
    mayAlias: false,
    transparentUnion: false,
    align: undefined,
    addressSpace: undefined,
    errorMessage: undefined,
    cleanup: undefined,
    mode: undefined,
    vectorSize: undefined,
    typeTags: [],
    declTags: [],
  };
}

const nothing: Readonly<ParsedAttributes> = Object.freeze(noAttributes());

/** Reads attribute lists into one record; unknown names are warned about. */
export function parseAttributes(
  context: Context,
  ...lists: readonly (readonly Attribute[])[]
): Readonly<ParsedAttributes> {
  if (lists.every((list) => list.length === 0)) return nothing;
  const into = noAttributes();
  for (const attribute of lists.flat()) {
    const handler = Object.hasOwn(handlers, attribute.name) ? handlers[attribute.name] : undefined;
    if (handler !== undefined) handler(context, attribute, into);
    else if (!ignored.has(attribute.name)) {
      report(context, "unknownAttribute", attribute.span, [attribute.name]);
    }
  }
  if (into.vectorSize !== undefined) report(context, "vectorUnsupported", into.vectorSize);
  return into;
}

/** What of the attributes a symbol keeps. */
export function symbolAttributes(parsed: Readonly<ParsedAttributes>): SymbolAttributes {
  return {
    weak: parsed.weak,
    hidden: parsed.hidden,
    used: parsed.used,
    declTags: parsed.declTags,
    ...(parsed.section !== undefined && { section: parsed.section }),
    ...(parsed.align !== undefined && { align: parsed.align }),
  };
}

/** The attributes of an earlier and a later declaration of one symbol together. */
export function mergeSymbolAttributes(
  older: SymbolAttributes,
  newer: SymbolAttributes,
): SymbolAttributes {
  const section = newer.section ?? older.section;
  const align = Math.max(newer.align ?? 0, older.align ?? 0);
  return {
    weak: older.weak || newer.weak,
    hidden: older.hidden || newer.hidden,
    used: older.used || newer.used,
    declTags: [...new Set([...older.declTags, ...newer.declTags])],
    ...(section !== undefined && { section }),
    ...(align > 0 && { align }),
  };
}
