.big_endian
; class 13: clone order
ld arch
jeq #AUDIT_ARCH_S390X, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_exit, allow
jeq #__NR_clone, look
ret errno(EPERM)
look: ld lo32(arg0)
jset #0x10000000, deny, allow
deny: ret errno(EPERM)
allow: ret allow
