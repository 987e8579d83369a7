; the repaired twin of 28-wide-shift-bad.s
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_close, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg0)
jge #32, deny
tax
ld #1
lsh x
jset #0x100, allow, deny
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
