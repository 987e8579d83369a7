; the repaired twin of 18-pointer-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_openat, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg2)
and #3
jeq #0, allow, deny
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
