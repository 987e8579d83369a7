; the repaired twin of 16-listed-ring-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
