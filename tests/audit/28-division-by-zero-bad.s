; class 28: division by zero
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_kill, look
jeq #__NR_exit, allow
ret errno(EPERM)
look: ld lo32(arg1)
tax
ld #100
div x
jge #10, allow, deny
deny: ret errno(EPERM)
allow: ret allow
foreign: ret kill_process
