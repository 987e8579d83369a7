; class 22: errno 0
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_read, allow
jeq #__NR_write, allow
ret #0x00050000
allow: ret allow
foreign: ret kill_process
