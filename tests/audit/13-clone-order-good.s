.big_endian
; the repaired twin of 13-clone-order-bad.s
ld arch
jeq #AUDIT_ARCH_S390X, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_exit, allow
jeq #__NR_clone, look
ret errno(EPERM)
look: ld lo32(arg1)
jset #0x10000000, deny, allow
deny: ret errno(EPERM)
allow: ret allow
