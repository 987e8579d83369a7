; the repaired twin of 07-low-half-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_mlock, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld hi32(arg1)
jeq #0, low, deny
low: ld lo32(arg1)
jgt #0x10000, deny, allow
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
