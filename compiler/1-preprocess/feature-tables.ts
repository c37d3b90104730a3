/** Names that `__has_attribute`, `__has_builtin` and their kin answer, as clang 19 for BPF does. */

/** A set that is filled when it is first asked: most programs never do. */
interface WordSet {
  has(word: string): boolean;
}

function words(text: string): WordSet {
  let set: ReadonlySet<string> | undefined;
  return {
    has: (word) => {
      set ??= new Set(text.trim().split(/\s+/));
      return set.has(word);
    },
  };
}

/** `__has_attribute`: GNU attributes that mean something on this target. */
export const attributes: WordSet = words(`
  abi_tag address_space alias align_value aligned alloc_align alloc_size always_inline
  analyzer_noreturn annotate artificial assume assume_aligned availability btf_decl_tag
  btf_type_tag callback carries_dependency clang_builtin_alias cleanup cold common const
  constructor convergent counted_by counted_by_or_null deprecated destructor
  diagnose_as_builtin diagnose_if disable_sanitizer_instrumentation disable_tail_calls
  enable_if enforce_read_only_placement enum_extensibility error
  exclude_from_explicit_instantiation ext_vector_type external_source_symbol fallthrough
  flag_enum flatten format format_arg gnu_inline hot ifunc internal_linkage leaf lifetimebound
  loader_uninitialized malloc may_alias maybe_undef min_vector_width minsize mode musttail
  naked no_address_safety_analysis no_builtin no_instrument_function
  no_profile_instrument_function no_randomize_layout no_sanitize no_sanitize_address
  no_sanitize_memory no_sanitize_thread no_speculative_load_hardening no_split_stack
  no_stack_protector no_thread_safety_analysis nocommon nodebug noduplicate noescape noinline
  nomerge nonallocating nonblocking nonnull noreturn nosvm not_tail_called nothrow nouwtable
  optnone overloadable ownership_holds ownership_returns ownership_takes packed
  pass_dynamic_object_size pass_object_size preferred_type preserve_access_index preserve_all
  preserve_most preserve_static_offset pure randomize_layout regparm reinitializes
  require_constant_initialization retain returns_nonnull returns_twice section selectany
  sentinel sized_by sized_by_or_null speculative_load_hardening standalone_debug suppress
  target target_clones target_version tls_model transparent_union type_visibility unavailable
  uninitialized unsafe_buffer_usage unused use_handle used vector_size visibility warn_unused
  warn_unused_result warning weak weak_import weakref zero_call_used_regs
`);

/** `__has_builtin`. */
export const builtins: WordSet = words(`
  __atomic_add_fetch __atomic_always_lock_free __atomic_and_fetch __atomic_clear
  __atomic_compare_exchange __atomic_compare_exchange_n __atomic_exchange __atomic_exchange_n
  __atomic_fetch_add __atomic_fetch_and __atomic_fetch_max __atomic_fetch_min
  __atomic_fetch_nand __atomic_fetch_or __atomic_fetch_sub __atomic_fetch_xor
  __atomic_is_lock_free __atomic_load __atomic_load_n __atomic_max_fetch __atomic_min_fetch
  __atomic_nand_fetch __atomic_or_fetch __atomic_signal_fence __atomic_store __atomic_store_n
  __atomic_sub_fetch __atomic_test_and_set __atomic_thread_fence __atomic_xor_fetch
  __builtin_FILE __builtin_FUNCTION __builtin_LINE __builtin___clear_cache
  __builtin___get_unsafe_stack_bottom __builtin___get_unsafe_stack_ptr
  __builtin___get_unsafe_stack_start __builtin___get_unsafe_stack_top __builtin_abort
  __builtin_add_overflow __builtin_addc __builtin_addcl __builtin_addcll __builtin_addcs
  __builtin_addressof __builtin_align_down __builtin_align_up __builtin_alloca
  __builtin_allow_runtime_check __builtin_annotation __builtin_assume __builtin_assume_aligned
  __builtin_assume_separate_storage __builtin_available __builtin_bcmp __builtin_bcopy
  __builtin_bit_cast __builtin_bitreverse16 __builtin_bitreverse32 __builtin_bitreverse64
  __builtin_bitreverse8 __builtin_bswap16 __builtin_bswap32 __builtin_bswap64
  __builtin_btf_type_id __builtin_bzero __builtin_char_memchr __builtin_choose_expr
  __builtin_classify_type __builtin_clrsb __builtin_clrsbl __builtin_clrsbll __builtin_clz
  __builtin_clzg __builtin_clzl __builtin_clzll __builtin_clzs __builtin_constant_p
  __builtin_ctz __builtin_ctzg __builtin_ctzl __builtin_ctzll __builtin_ctzs
  __builtin_debugtrap __builtin_dynamic_object_size __builtin_expect
  __builtin_expect_with_probability __builtin_extend_pointer __builtin_fabs __builtin_fabsf __builtin_fabsl __builtin_ffs __builtin_ffsl
  __builtin_ffsll __builtin_frame_address __builtin_huge_val __builtin_huge_valf __builtin_huge_vall __builtin_index __builtin_inf
  __builtin_inff __builtin_infl __builtin_is_aligned __builtin_labs
  __builtin_launder __builtin_llabs __builtin_memchr __builtin_memcmp __builtin_memcpy
  __builtin_memcpy_inline __builtin_memmove __builtin_mempcpy __builtin_memset
  __builtin_memset_inline __builtin_mul_overflow __builtin_nondeterministic_value
  __builtin_nontemporal_load __builtin_nontemporal_store __builtin_object_size
  __builtin_offsetof __builtin_parity __builtin_parityl __builtin_parityll __builtin_popcount
  __builtin_popcountg __builtin_popcountl __builtin_popcountll __builtin_prefetch
  __builtin_preserve_access_index __builtin_preserve_enum_value __builtin_preserve_field_info
  __builtin_preserve_type_info __builtin_readcyclecounter __builtin_readsteadycounter
  __builtin_return_address __builtin_rindex __builtin_rotateleft16 __builtin_rotateleft32
  __builtin_rotateleft64 __builtin_rotateleft8 __builtin_rotateright16 __builtin_rotateright32
  __builtin_rotateright64 __builtin_rotateright8 __builtin_sadd_overflow
  __builtin_saddl_overflow __builtin_saddll_overflow __builtin_smul_overflow
  __builtin_smull_overflow __builtin_smulll_overflow __builtin_ssub_overflow
  __builtin_ssubl_overflow __builtin_ssubll_overflow __builtin_stdarg_start __builtin_stpcpy
  __builtin_stpncpy __builtin_strcasecmp __builtin_strcat __builtin_strchr __builtin_strcmp
  __builtin_strcpy __builtin_strcspn __builtin_strdup __builtin_strlen __builtin_strncasecmp
  __builtin_strncat __builtin_strncmp __builtin_strncpy __builtin_strndup __builtin_strpbrk
  __builtin_strrchr __builtin_strspn __builtin_strstr __builtin_sub_overflow __builtin_subc
  __builtin_subcb __builtin_subcl __builtin_subcll __builtin_subcs __builtin_thread_pointer
  __builtin_trap __builtin_types_compatible_p __builtin_uadd_overflow __builtin_uaddl_overflow
  __builtin_uaddll_overflow __builtin_umul_overflow __builtin_umull_overflow
  __builtin_umulll_overflow __builtin_unpredictable __builtin_unreachable
  __builtin_usub_overflow __builtin_usubl_overflow __builtin_usubll_overflow __builtin_va_arg
  __builtin_va_copy __builtin_va_end __builtin_va_start __builtin_verbose_trap
  __c11_atomic_compare_exchange_strong __c11_atomic_compare_exchange_weak
  __c11_atomic_exchange __c11_atomic_fetch_add __c11_atomic_fetch_and __c11_atomic_fetch_max
  __c11_atomic_fetch_min __c11_atomic_fetch_nand __c11_atomic_fetch_or __c11_atomic_fetch_sub
  __c11_atomic_fetch_xor __c11_atomic_init __c11_atomic_is_lock_free __c11_atomic_load
  __c11_atomic_signal_fence __c11_atomic_store __c11_atomic_thread_fence __sync_add_and_fetch
  __sync_add_and_fetch_1 __sync_add_and_fetch_16 __sync_add_and_fetch_2 __sync_add_and_fetch_4
  __sync_add_and_fetch_8 __sync_and_and_fetch __sync_and_and_fetch_1 __sync_and_and_fetch_16
  __sync_and_and_fetch_2 __sync_and_and_fetch_4 __sync_and_and_fetch_8
  __sync_bool_compare_and_swap __sync_bool_compare_and_swap_1 __sync_bool_compare_and_swap_16
  __sync_bool_compare_and_swap_2 __sync_bool_compare_and_swap_4 __sync_bool_compare_and_swap_8
  __sync_fetch_and_add __sync_fetch_and_add_1 __sync_fetch_and_add_16 __sync_fetch_and_add_2
  __sync_fetch_and_add_4 __sync_fetch_and_add_8 __sync_fetch_and_and __sync_fetch_and_and_1
  __sync_fetch_and_and_16 __sync_fetch_and_and_2 __sync_fetch_and_and_4 __sync_fetch_and_and_8
  __sync_fetch_and_max __sync_fetch_and_min __sync_fetch_and_nand __sync_fetch_and_nand_1
  __sync_fetch_and_nand_16 __sync_fetch_and_nand_2 __sync_fetch_and_nand_4
  __sync_fetch_and_nand_8 __sync_fetch_and_or __sync_fetch_and_or_1 __sync_fetch_and_or_16
  __sync_fetch_and_or_2 __sync_fetch_and_or_4 __sync_fetch_and_or_8 __sync_fetch_and_sub
  __sync_fetch_and_sub_1 __sync_fetch_and_sub_16 __sync_fetch_and_sub_2 __sync_fetch_and_sub_4
  __sync_fetch_and_sub_8 __sync_fetch_and_umax __sync_fetch_and_umin __sync_fetch_and_xor
  __sync_fetch_and_xor_1 __sync_fetch_and_xor_16 __sync_fetch_and_xor_2 __sync_fetch_and_xor_4
  __sync_fetch_and_xor_8 __sync_lock_release __sync_lock_release_1 __sync_lock_release_16
  __sync_lock_release_2 __sync_lock_release_4 __sync_lock_release_8 __sync_lock_test_and_set
  __sync_lock_test_and_set_1 __sync_lock_test_and_set_16 __sync_lock_test_and_set_2
  __sync_lock_test_and_set_4 __sync_lock_test_and_set_8 __sync_nand_and_fetch
  __sync_nand_and_fetch_1 __sync_nand_and_fetch_16 __sync_nand_and_fetch_2
  __sync_nand_and_fetch_4 __sync_nand_and_fetch_8 __sync_or_and_fetch __sync_or_and_fetch_1
  __sync_or_and_fetch_16 __sync_or_and_fetch_2 __sync_or_and_fetch_4 __sync_or_and_fetch_8
  __sync_sub_and_fetch __sync_sub_and_fetch_1 __sync_sub_and_fetch_16 __sync_sub_and_fetch_2
  __sync_sub_and_fetch_4 __sync_sub_and_fetch_8 __sync_swap __sync_swap_1 __sync_swap_16
  __sync_swap_2 __sync_swap_4 __sync_swap_8 __sync_synchronize __sync_val_compare_and_swap
  __sync_val_compare_and_swap_1 __sync_val_compare_and_swap_16 __sync_val_compare_and_swap_2
  __sync_val_compare_and_swap_4 __sync_val_compare_and_swap_8 __sync_xor_and_fetch
  __sync_xor_and_fetch_1 __sync_xor_and_fetch_16 __sync_xor_and_fetch_2 __sync_xor_and_fetch_4
  __sync_xor_and_fetch_8
`);

/** `__has_feature`: part of the language standard. */
export const features: WordSet = words(`
  attribute_analyzer_noreturn attribute_availability attribute_availability_with_message
  attribute_deprecated_with_message attribute_ext_vector_type attribute_overloadable
  attribute_unavailable_with_message attribute_unused_on_fields c_alignas c_alignof c_atomic
  c_generic_selections c_static_assert enumerator_attributes nullability nullability_on_arrays
`);

/** `__has_extension`: these beside the features. */
export const extensions: WordSet = words(`
  c_attributes c_generic_selection_with_controlling_type cxx_binary_literals cxx_fixed_enum
  gnu_asm gnu_asm_goto_with_outputs gnu_asm_goto_with_outputs_full overloadable_unmarked
  statement_attributes_with_gnu_syntax
`);

/** `__has_c_attribute`: values of the standard attributes of C23, usable before it in clang. */
export const standardAttributes: ReadonlyMap<string, number> = new Map([
  ["deprecated", 201904],
  ["fallthrough", 201910],
  ["maybe_unused", 202106],
  ["nodiscard", 202003],
  ["noreturn", 202202],
  ["_Noreturn", 202202],
  ["unsequenced", 202207],
  ["reproducible", 202207],
]);
