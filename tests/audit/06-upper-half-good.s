; the repaired twin of 06-upper-half-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_kill, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg1)
jeq #9, deny, allow
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
