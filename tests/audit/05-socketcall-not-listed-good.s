; the repaired twin of 05-socketcall-not-listed-bad.s
ld arch
jeq #AUDIT_ARCH_I386, ours, foreign
foreign: ret kill_process
ours: ld nr
jeq #__NR_read, allow
ret errno(EPERM)
allow: ret allow
