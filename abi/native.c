#include "abi/abi.h"

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BY_ENDIAN(little, big) (big)
#else
#define BY_ENDIAN(little, big) (little)
#endif

enum abi_id abi_native(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
    return ABI_X32;
#elif defined(__x86_64__)
    return ABI_X86_64;
#elif defined(__i386__)
    return ABI_I386;
#elif defined(__aarch64__)
    return BY_ENDIAN(ABI_AARCH64, ABI_AARCH64_BE);
#elif defined(__arm__)
    return BY_ENDIAN(ABI_ARM, ABI_ARMEB);
#elif defined(__riscv) && __riscv_xlen == 64
    return ABI_RISCV64;
#elif defined(__riscv)
    return ABI_RISCV32;
#elif defined(__loongarch64)
    return ABI_LOONGARCH64;
#elif defined(__s390x__)
    return ABI_S390X;
#elif defined(__s390__)
    return ABI_S390;
#elif defined(__powerpc64__)
    return BY_ENDIAN(ABI_PPC64LE, ABI_PPC64);
#elif defined(__powerpc__)
    return ABI_PPC;
#elif defined(__mips__) && defined(_ABI64) && _MIPS_SIM == _ABI64
    return BY_ENDIAN(ABI_MIPS64EL, ABI_MIPS64);
#elif defined(__mips__) && defined(_ABIN32) && _MIPS_SIM == _ABIN32
    return BY_ENDIAN(ABI_MIPSN32EL, ABI_MIPSN32);
#elif defined(__mips__)
    return BY_ENDIAN(ABI_MIPSEL, ABI_MIPS);
#elif defined(__hppa__) && defined(__LP64__)
    return ABI_PARISC64;
#elif defined(__hppa__)
    return ABI_PARISC;
#elif defined(__m68k__)
    return ABI_M68K;
#elif defined(__sh__)
    return BY_ENDIAN(ABI_SH, ABI_SHEB);
#else
    return ABI_NONE;
#endif
}
