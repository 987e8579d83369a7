; class 15: reads by ptrace
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_ptrace, look
jeq #__NR_process_vm_writev, deny
ret allow
look: ld lo32(arg0)
jeq #2, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
