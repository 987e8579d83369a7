; class 15: clock offset
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_settimeofday, deny
jeq #__NR_clock_settime, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
