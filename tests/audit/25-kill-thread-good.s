; the repaired twin of 25-kill-thread-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
ret kill_process
allow: ret allow
foreign: ret kill_process
