; class 28: compared before
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
jeq #__NR_read, again
ret errno(EPERM)
again: ret errno(EACCES)
allow: ret allow
foreign: ret kill_process
