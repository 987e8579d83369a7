; class 25: kill thread
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
ret kill_thread
allow: ret allow
foreign: ret kill_process
