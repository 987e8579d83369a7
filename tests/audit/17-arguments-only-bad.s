; class 17: arguments only: what decides is an argument, for calls and for numbers that no call has
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_read, look
jge #400, look
ret errno(EPERM)
look: ld lo32(arg0)
jeq #1, allow
ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
